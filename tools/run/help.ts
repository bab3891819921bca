// The page on `swtpm run`.
import type { Page } from "../../cli/page.ts";
import { ABOUT } from "../../cli/about.ts";
import {
  ADDRESSES,
  FOLDER_VARIABLES,
  LIBTPMS_VARIABLE,
  TPM_OPTIONS,
  TPM_VARIABLES,
} from "../own_tpm/options_help.ts";

export function runPage(): Page {
  return {
    program: "swtpm run",
    about: ABOUT.run,
    usage: ["[options] [--] COMMAND [ARGS...]", "[options]"],
    description: [
      "Runs COMMAND with a TPM of its own, which ends with it; without COMMAND, a shell. The TPM is on " +
      "and started up, and TPM software finds it by its variables: tpm2-tools, OpenSSL's tpm2 " +
      "provider, the PKCS #11 module, IBM's TSS, trousers.",
    ],
    options: [{
      rows: [
        ...TPM_OPTIONS,
        [
          "--keep-on-failure",
          "when COMMAND fails, keep the TPM's state and log, and say where they are",
        ],
        ["--json", "messages about the run as JSON on standard error, one per line"],
        ["-h|--help", "print this page and exit"],
      ],
    }],
    notes: [
      ADDRESSES,
      "In ARGS, {tcti}, {sock}, {ctrl}, {port}, {rm} and {mssim} become the TPM's addresses, but for " +
      "those that it has not, such as {port} without --tcp, and those behind a '$'; {{sock}} becomes " +
      "{sock}. Several clients may be connected at a time.",
      "With --trace, a COMMAND that fails ends with what the TPM refused it last.",
      "Signals go to COMMAND.",
    ],
    environment: [
      ...TPM_VARIABLES,
      FOLDER_VARIABLES,
      ["SHELL", "what is run where there is no COMMAND"],
      LIBTPMS_VARIABLE,
    ],
    exit: [
      "COMMAND's, or 128 and the number of the signal that ended it; 125 when the TPM could not be " +
      "started, 126 when COMMAND could not be, 127 when it was not found.",
    ],
    examples: [{
      lines: [
        "swtpm run -- tpm2_getrandom --hex 16",
        "swtpm run -- make check",
        "swtpm run --tcp -- tssgetrandom -by 16",
        "swtpm run --tpm12 -- sh -c 'tcsd && tpm_version'",
      ],
    }],
  };
}
