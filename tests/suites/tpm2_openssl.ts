// The OpenSSL provider's integration tests, with the provider that is installed.

import { basename, join } from "node:path";
import type { Part, Suite } from "./suite.ts";

export const TPM2_OPENSSL: Suite = {
  name: "tpm2-openssl",
  tpms: ["managed", "bare", "c"],
  // Its servers listen at one port.
  oneAtATime: true,
  parts: async (sources) => {
    const folder = join(await sources.tree("tpm2-openssl"), "test");
    const scripts = [folder, join(folder, "ec_pki"), join(folder, "rsa_pki")].flatMap((from) =>
      [...Deno.readDirSync(from)].filter(({ name }) => name.endsWith(".sh"))
        .map(({ name }) => join(from, name))
    );
    return scripts.sort().map((path): Part => ({
      name: basename(path, ".sh"),
      // Some read files beside them, and all write where they are run.
      command: ["sh", "-c", `cp -r "$1" tests && cd tests && exec "./$2"`, "suites"].concat(
        folder,
        path.slice(folder.length + 1),
      ),
    }));
  },
};
