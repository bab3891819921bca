// The help page of `swtpm run`.
import { TPM_OPTIONS } from "../own_tpm/options_help.ts";

export const RUN_HELP = `Usage: swtpm run [options] [--] COMMAND [ARGS...]
       swtpm run [options]

Runs COMMAND with a TPM of its own, which ends with it; without COMMAND, a
shell. The TPM is on and started up, and TPM software finds it by its variables:
tpm2-tools, OpenSSL's tpm2 provider, the PKCS #11 module, IBM's TSS, trousers.

 swtpm run -- tpm2_getrandom --hex 16
 swtpm run -- make check
 swtpm run --tcp -- tssgetrandom -by 16
 swtpm run --tpm12 -- sh -c 'tcsd && tpm_version'

${TPM_OPTIONS}
 --keep-on-failure     when COMMAND fails, keep the TPM's state and log, and say
                       where they are
 --json                messages about the run as JSON on stderr, one per line
 -h|--help             print this page and exit

In ARGS, {tcti}, {sock}, {ctrl} and {port} become the TPM's addresses, but for
those that it has not, such as {port} without --tcp, and those behind a '$';
{{sock}} becomes {sock}. COMMAND also finds them in SWTPM_SOCK and SWTPM_CTRL,
or in SWTPM_PORT (the control channel is at the next port). Several clients may
be connected at a time.

With --trace, a COMMAND that fails ends with what the TPM refused it last.

Signals go to COMMAND. The exit code is COMMAND's, or 128 and the number of the
signal that ended it; 125 when the TPM could not be started, 126 when COMMAND
could not be, 127 when it was not found.
`;
