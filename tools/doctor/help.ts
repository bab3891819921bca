// The page on `swtpm doctor`.
import type { Page } from "../../cli/page.ts";
import { ABOUT } from "../../cli/about.ts";
import { LIBTPMS_VARIABLE } from "../own_tpm/options_help.ts";

export function doctorPage(): Page {
  return {
    program: "swtpm doctor",
    about: ABOUT.doctor,
    usage: ["[options] [DIR...]"],
    description: [
      "Says what this machine offers to a TPM, what stands in its way, and what to do about it; for " +
      "each DIR, whether a TPM can keep its state there. Each line begins with 'ok', 'warn' (not " +
      "everybody needs it) or 'fail' (no TPM can be had so), and '->' says what to do. It changes " +
      "nothing.",
    ],
    options: [{
      rows: [
        [
          "--libtpms system|embedded|PATH",
          "look at this libtpms; SWTPM_LIBTPMS does the same",
        ],
        ["--json", "print the findings as JSON"],
        ["-h|--help", "print this page and exit"],
      ],
    }],
    environment: [LIBTPMS_VARIABLE],
    exit: ["1 when there is a 'fail', otherwise 0."],
    examples: [{ lines: ["swtpm doctor", "swtpm doctor --json /var/lib/swtpm"] }],
  };
}
