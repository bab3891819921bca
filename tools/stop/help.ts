// The page on `swtpm stop`.
import type { Page } from "../../cli/page.ts";

export function stopPage(): Page {
  return {
    program: "swtpm stop",
    about: "ends the TPM that 'swtpm start' started",
    usage: [""],
    description: [
      "Ends the TPM that 'swtpm start' started, in order: the one that SWTPM_CTRL or SWTPM_PORT names.",
    ],
    options: [{ rows: [["-h|--help", "print this page and exit"]] }],
    environment: [
      ["SWTPM_CTRL", "the path of the TPM's control channel"],
      ["SWTPM_PORT", "the port of its data channel; that of control is the next"],
    ],
    exit: ["0 when nothing of the TPM is left; 1 when it was not there, or does not end."],
  };
}
