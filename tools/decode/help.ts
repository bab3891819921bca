// The page on `swtpm decode`.
import type { Page } from "../../cli/page.ts";
import { ABOUT } from "../../cli/about.ts";
import { LIBTPMS_VARIABLE } from "../own_tpm/options_help.ts";

export function decodePage(): Page {
  return {
    program: "swtpm decode",
    about: ABOUT.decode,
    usage: ["[options] [FILE|-]", "--event-log FILE [--against STATE|SOCKET] [--json]"],
    description: [
      "Says in words what was sent to a TPM and what it answered: a line for each command with its " +
      "response, as --trace writes them. FILE is one of these, which its first bytes tell; without " +
      "FILE, or with -, it is read from standard input:",
      {
        rows: [
          [
            "a capture",
            "of 'swtpm socket --pcap', of tpm2-tss' pcap TCTI, of tcpdump or Wireshark; connections " +
            "that no TPM takes part in are left out",
          ],
          ["a log", "of 'swtpm socket --log level=2' or more, ours or the C program's"],
          [
            "hex digits",
            "a message to a line, with or without spaces, or the rows of a dump (xxd, hexdump -C); " +
            "commands and responses in turn, or marked with > and <",
          ],
          ["messages", "as they are, one behind the other"],
        ],
      },
      "What is damaged or cut off is read up to there; then a message says where it stops and why.",
    ],
    options: [{
      rows: [
        ["--json", "an object for each command, a line each"],
        [
          "--secrets",
          "show auth values, sensitive areas, unsealed data and keys as they are, not only how long",
        ],
        [
          "--event-log FILE",
          "say what a firmware has measured: a log in the TCG's PC Client format, and the values that " +
          "the PCRs have after it",
        ],
        [
          "--against STATE|SOCKET",
          "compare these with the PCRs of a TPM: one that runs, by its data socket (a path or " +
          "HOST:PORT), or a state (a directory, a file, a URI) that was saved while it ran",
        ],
        ["--key ARGUMENT", "the state's key, as for 'swtpm socket'"],
        [
          "--libtpms system|embedded|PATH",
          "the libtpms to use for it; SWTPM_LIBTPMS does the same",
        ],
        ["-h|--help", "print this page and exit"],
      ],
    }],
    environment: [LIBTPMS_VARIABLE],
    files: [[
      "/sys/kernel/security/tpm0/binary_bios_measurements",
      "the event log of this machine's firmware",
    ]],
    exit: ["1 where something could not be read to its end, or where a PCR differs; otherwise 0."],
    examples: [{
      lines: [
        "swtpm run --pcap file=/tmp/tpm.pcap -- tpm2_getrandom --hex 8",
        "swtpm decode /tmp/tpm.pcap",
        "echo 80010000000c0000017b0008 | swtpm decode",
      ],
    }],
  };
}
