// The page on swtpm_bios.
import { COPYRIGHT } from "../../cli/help.ts";
import { type Page, pageText } from "../../cli/page.ts";
import { ABOUT } from "../../cli/about.ts";
import manifest from "../../deno.json" with { type: "json" };

/** `program` is how it was called. */
export function biosPage(program: string): Page {
  return {
    program,
    about: ABOUT.bios,
    usage: ["[options]"],
    description: [
      "Does what a firmware does with a TPM: starts it up, makes a TPM 1.2 present, enabled and active " +
      "(unless -o), and gives up its rights to it (with -u).",
    ],
    options: [
      {
        rows: [
          ["--tpm2", "a TPM 2; without it, a TPM 1.2"],
          ["-c", "start up with CLEAR, as without an option"],
          ["-s", "start up with STATE"],
          ["-d", "start a TPM 1.2 up deactivated; do not start up a TPM 2"],
          ["-n", "do not start up"],
          ["-o", "do no more than start up"],
          ["-cs", "TPM_ContinueSelfTest or TPM2_IncrementalSelfTest"],
          ["-ea", "make sure that a TPM 1.2 is active"],
          [
            "-u",
            "give up physical presence; set a random password for the platform hierarchy of a TPM 2",
          ],
          ["-h", "print this page and exit"],
        ],
      },
      {
        title: "Which TPM",
        rows: [
          ["--unix PATH", "the Unix socket of its data channel"],
          [
            "--tcp [HOST]:[PORT]",
            "the TCP port of its data channel; without them 127.0.0.1 and 6545",
          ],
          [
            "--tpm-device DEVICE",
            "a character device; without any of these, the one in the variable TPM_DEVICE, else " +
            "/dev/tpm0",
          ],
        ],
      },
    ],
    environment: [
      ["TPM_DEVICE", "the device, where no option names a TPM"],
      [
        "TCSD_USE_TCP_DEVICE",
        "where it is set, it is a TCP port in place of the device: that of the next two",
      ],
      ["TCSD_TCP_DEVICE_HOSTNAME", "its host; localhost where it is not set"],
      ["TCSD_TCP_DEVICE_PORT", "its port; 6545 where it is not set"],
    ],
    exit: [
      "0 when all is done; 1 for options that cannot be used; 128 when the TPM has refused a command; " +
      "129 with -ea when a TPM 1.2 has to be reset to become active; 255 when the TPM could not be " +
      "reached.",
    ],
    examples: [{
      lines: ["swtpm_bios --tpm2 --unix /tmp/tpm/sock", "swtpm_bios -u --tpm-device /dev/vtpm"],
    }],
  };
}

/** The help. */
export function biosHelp(program: string): string {
  return `TPM emulator BIOS emulator version ${manifest.version}, ${COPYRIGHT}

${pageText(biosPage(program))}`;
}
