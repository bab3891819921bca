// canonical's go-tpm2, which starts its simulators itself; no package of Debian's has it.

import { join } from "node:path";
import { compiled, copied, GO_MS, goCheck, goTests, prefixed } from "./go_programs.ts";
import type { Part, Suite } from "./suite.ts";

export const CANONICAL_GO_TPM2: Suite = {
  name: "canonical-go-tpm2",
  tpms: ["mssim"],
  parts: async (sources) => {
    const name = "github.com/canonical/go-tpm2";
    const programs = await compiled(sources, "go-tpm2", name, async (workspace) => {
      const kdf = await sources.elsewhere("go-kbkdf", "github.com/canonical/go-kbkdf");
      await copied(await sources.elsewhere("go-tpm2", name), join(workspace, "src", name));
      const kdfCopy = join(workspace, "src/github.com/canonical/go-kbkdf");
      await copied(kdf, kdfCopy);
      // The newest sources to be had are older than this function of theirs.
      const from = 'package hmac_prf\n\nimport "crypto"\n\n' +
        "func From(hash crypto.Hash) prf { return prf(hash) }\n";
      await Deno.writeTextFile(join(kdfCopy, "hmac_prf/from.go"), from);
      await Deno.mkdir(join(workspace, "bin"));
      await Deno.writeTextFile(join(workspace, "bin/tpm2-simulator"), STARTED, { mode: 0o755 });
    }, [".", "testutil", "policyutil", "objectutil", "util", "cryptutil", "templates"]);
    return programs.map(({ name, path, home }): Part => ({
      name,
      command: ["sh", "-c", WITH_STARTED, path, "{port}"],
      env: { HOME_OF_TEST: home, BIN: join(path, "../workspace/bin") },
      startsTpm: true,
      timeoutMs: GO_MS,
      results: (outcome) => {
        const inSuites = goCheck(outcome);
        const others = goTests(outcome).filter(({ name }) =>
          name !== "Test" || inSuites.length === 0
        );
        return prefixed(name, [...inSuites, ...others]);
      },
    }));
  },
};

/** What its tests look for by that name; the port is the last of its words. */
const STARTED = `#!/bin/sh
state=file://$PWD/NVChip
for port; do [ "$port" != -e ] || state=memory://; done
exec "$SWTPM_EXE" socket --tpm2 --tpmstate backend-uri="$state" --mssim type=tcp,port="$port"
`;

const WITH_STARTED = `cd "$HOME_OF_TEST" && export PATH="$BIN:$PATH" XDG_RUNTIME_DIR="$SCRATCH"
exec "$0" -test.v -check.v -use-mssim -mssim-port "$1"
`;
