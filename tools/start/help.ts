// The page on `swtpm start`.
import type { Page } from "../../cli/page.ts";
import { ABOUT } from "../../cli/about.ts";
import {
  ADDRESSES,
  FOLDER_VARIABLES,
  LIBTPMS_VARIABLE,
  TPM_OPTIONS,
  TPM_VARIABLES,
} from "../own_tpm/options_help.ts";

export function startPage(): Page {
  return {
    program: "swtpm start",
    about: ABOUT.start,
    usage: ["[options]"],
    description: [
      "Starts a TPM in the background, on and started up, and prints the variables by which TPM " +
      "software finds it. 'swtpm stop' ends it.",
      "Where there is no TPM it prints 'false', so that a script does not go on without and reach the " +
      "machine's own.",
    ],
    options: [{
      rows: [
        ...TPM_OPTIONS,
        ["--json", "print the TPM's addresses and variables as JSON"],
        [
          "--github-env",
          "add the variables to the file that GITHUB_ENV names, for the next steps of a GitHub workflow",
        ],
        ["-h|--help", "print this page and exit"],
      ],
    }],
    notes: [ADDRESSES],
    environment: [
      ...TPM_VARIABLES,
      FOLDER_VARIABLES,
      ["GITHUB_ENV", "the file for --github-env"],
      LIBTPMS_VARIABLE,
    ],
    exit: ["0 when the TPM can be reached, otherwise 1."],
    examples: [{
      lines: ['eval "$(swtpm start)" || exit', "tpm2_getrandom --hex 16", "swtpm stop"],
    }],
  };
}
