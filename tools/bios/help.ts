// The help page of swtpm_bios.
import { COPYRIGHT } from "../../cli/help.ts";
import manifest from "../../deno.json" with { type: "json" };

/** The page; `program` is how it was called. */
export function biosHelp(program: string): string {
  return `TPM emulator BIOS emulator version ${manifest.version}, ${COPYRIGHT}

Usage: ${program} [options]

Does what a firmware does with a TPM: starts it up, makes a TPM 1.2 present,
enabled and active (unless -o), and gives up its rights to it (with -u).

 --tpm2                a TPM 2; without it, a TPM 1.2
 -c                    start up with CLEAR, as without an option
 -s                    start up with STATE
 -d                    start a TPM 1.2 up deactivated; do not start up a TPM 2
 -n                    do not start up
 -o                    do no more than start up
 -cs                   TPM_ContinueSelfTest or TPM2_IncrementalSelfTest
 -ea                   make sure that a TPM 1.2 is active; the exit code is 129
                       when it has to be reset for that
 -u                    give up physical presence; set a random password for the
                       platform hierarchy of a TPM 2
 -h                    print this page and exit

Which TPM:

 --unix PATH           the Unix socket of its data channel
 --tcp [HOST]:[PORT]   the TCP port of its data channel; without them 127.0.0.1
                       and 6545
 --tpm-device DEVICE   a character device; without any of these, the one in the
                       variable TPM_DEVICE, else /dev/tpm0

With the variable TCSD_USE_TCP_DEVICE it is the TCP port that the variables
TCSD_TCP_DEVICE_HOSTNAME (localhost) and TCSD_TCP_DEVICE_PORT (6545) name.

The exit code is 128 when the TPM has refused a command, 255 when it could not
be reached.
`;
}
