// tpm2-tools' integration tests, FAPI's included. They start no TPM of their own when they are given
// an address by TPM2TOOLS_TEST_TCTI.

import { basename, join } from "node:path";
import type { Part, Suite } from "./suite.ts";

/** Says nothing to a TPM: it looks at the tools' own sources. */
const WITHOUT_TPM = "toggle_options";

export const TPM2_TOOLS: Suite = {
  name: "tpm2-tools",
  tpms: ["managed", "bare", "c", "c-bare"],
  parts: async (sources) => {
    const tree = await sources.tree("tpm2-tools");
    const folder = join(tree, "test/integration");
    const scripts = ["tests", "fapi"].flatMap((kind) => scriptsIn(join(folder, kind)));
    return scripts.map((path): Part => ({
      name: basename(path, ".sh"),
      command: ["bash", "-c", SCRIPT, path],
      env: {
        TPM2_SIM: "",
        TPM2_ABRMD: "",
        PYTHON: "python3",
        // What configure would have found; one test wants to know.
        TSS_VERSION: "3.2.1",
        TPM2_TOOLS_TEST_FIXTURES: join(folder, "fixtures"),
        srcdir: tree,
        abs_srcdir: tree,
        abs_builddir: tree,
        HELPERS: folder,
      },
    })).filter(({ name }) => name !== WITHOUT_TPM);
  },
};

/** Its scripts find their helpers by PATH. */
const SCRIPT = `export TPM2TOOLS_TEST_TCTI="$TPM2TOOLS_TCTI" PATH="$HELPERS:$PATH"
exec bash -- "$0"`;

function scriptsIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name))
    .filter((path) => path.endsWith(".sh")).sort();
}
