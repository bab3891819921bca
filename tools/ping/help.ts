// The page on `swtpm ping`.
import { ABOUT } from "../../cli/about.ts";
import type { Page } from "../../cli/page.ts";

export function pingPage(): Page {
  return {
    program: "swtpm ping",
    about: ABOUT.ping,
    usage: ["[options] [PATH]"],
    description: [
      "Asks a TPM emulator over its control channel whether it is there, and waits no longer than a few " +
      "seconds: for health checks and probes. Whether a guest has switched its TPM on makes no " +
      "difference.",
      "An emulator has one control connection at a time. While a hypervisor holds it, nobody else is " +
      "answered.",
    ],
    options: [{
      rows: [
        [
          "--ctrl WORDS",
          "the words of the emulator's own option: type=unixio,path=... or " +
          "type=tcp,port=...[,bindaddr=...]",
        ],
        ["--unix PATH", "the Unix socket of its control channel"],
        [
          "--tcp [HOST]:[PORT]",
          "the TCP port of its control channel; without them 127.0.0.1 and 6546",
        ],
        ["--tpm-device DEVICE", "the device of 'swtpm cuse'"],
        ["PATH", "a socket or a device"],
        [
          "--timeout SECONDS",
          "how long all of it may take, 3 where none is given; a device is waited for as long as it " +
          "takes",
        ],
        ["-h|--help", "print this page and exit"],
      ],
    }],
    notes: ["Without an address, the TPM of 'swtpm start' is asked, by the variables below."],
    environment: [
      ["SWTPM_CTRL", "the path of the TPM's control channel"],
      ["SWTPM_PORT", "the port of its data channel; that of control is the next"],
    ],
    exit: ["0 when the TPM answers, otherwise 1."],
    examples: [{
      lines: ["swtpm ping /tmp/tpm/ctrl", "swtpm ping --timeout 0.5 --ctrl type=tcp,port=2322"],
    }],
  };
}
