// The page on swtpm_ioctl, and what it says of its version.
import { COPYRIGHT } from "../../cli/help.ts";
import { type Page, pageText } from "../../cli/page.ts";
import { ABOUT } from "../../cli/about.ts";
import manifest from "../../deno.json" with { type: "json" };

export const IOCTL_VERSION =
  `TPM emulator control tool version ${manifest.version}, ${COPYRIGHT}\n`;

/** `program` is how it was called. */
export function ioctlPage(program: string): Page {
  return {
    program,
    about: ABOUT.ioctl,
    usage: ["COMMAND ADDRESS"],
    description: [
      "Gives a TPM emulator one control command, over its control channel or its device.",
    ],
    options: [
      {
        title: "The commands",
        rows: [
          ["-c", "print the bits of the commands that it has"],
          [
            "-i",
            "switch the TPM on, anew where it is on; stored volatile state is taken up and deleted",
          ],
          ["--stop", "switch the TPM off"],
          ["-s", "shut down: the emulator ends"],
          ["-e", "print the established bit"],
          ["-r LOCALITY", "clear the established bit, from this locality"],
          ["-v", "store the volatile state"],
          ["-C", "cancel the TPM command that runs"],
          ["-l LOCALITY", "set the locality, 0 to 4"],
          [
            "-h DATA",
            "hash the data as at the start of a dynamic root of trust; '-' for those of standard input",
          ],
          [
            "--save TYPE FILE",
            "store a state of the TPM in a file; TYPE is permanent, volatile or savestate",
          ],
          ["--load TYPE FILE", "give the TPM a state out of a file, while it is off"],
          ["-g", "print which keys are in use: 1 state, 2 migration"],
          [
            "-b SIZE",
            "set the size of the TPM's buffer, or with 0 leave it, and print it with what is possible",
          ],
          [
            "--info FLAGS",
            "print what is known of the TPM, as JSON: the sum of 1 specification, 2 attributes, 4 " +
            "features, 8 algorithms, 0x10 commands, 0x20 active profile, 0x40 available profiles, 0x80 " +
            "attributes of the profile",
          ],
          ["--lock-storage N", "lock the state that was unlocked for a migration"],
          ["--version", "print the version and exit"],
          ["--help", "print this page and exit"],
        ],
      },
      {
        title: "Which emulator",
        rows: [
          ["--unix PATH", "the Unix socket of its control channel"],
          [
            "--tcp [HOST]:[PORT]",
            "the TCP port of its control channel; without them 127.0.0.1 and 6546",
          ],
          ["--tpm-device DEVICE", "the device of 'swtpm cuse'; it may also stand alone"],
        ],
      },
    ],
    environment: [[
      "SWTPM_IOCTL_BUFFERSIZE",
      "how many bytes of a state go over a device at a time, for --save and --load",
    ]],
    exit: [
      "0 when the TPM has done it; 1 when it refused, fell silent, or could not be reached.",
    ],
    examples: [{
      lines: [
        "swtpm_ioctl --unix /tmp/tpm/ctrl --info 1",
        "swtpm_ioctl --tcp :2322 --save permanent /tmp/state",
        "swtpm_ioctl -s /dev/vtpm",
      ],
    }],
  };
}

/** The help. */
export function ioctlHelp(program: string): string {
  return `${IOCTL_VERSION}\n${pageText(ioctlPage(program))}`;
}
