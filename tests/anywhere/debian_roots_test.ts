// The executable in Debian's smallest systems, an older and a newer one than the executable was built
// on: whose glibc is used with the libtpms inside. Making such a root takes a minute, once.

import assert from "node:assert/strict";
import { MinimalRoot } from "../run/minimal_root.ts";
import { said } from "../run/runner.ts";

const ROOTS = [
  { suite: "bullseye", glibc: "2.31", uses: /^ glibc 2\.\d+, the one inside$/m },
  { suite: "trixie", glibc: "2.41", uses: /^ glibc 2\.41, this machine's$/m },
] as const;

for (const { suite, glibc, uses } of ROOTS) {
  Deno.test(`in Debian's ${suite} the glibc that serves is used`, async () => {
    const root = await MinimalRoot.get(suite);
    const swtpm = async (words: readonly string[], env: Record<string, string> = {}) => {
      const outcome = await root.run(["swtpm", ...words], { env });
      assert.equal(outcome.code, 0, said(outcome));
      return outcome.stdout;
    };
    assert.match(await swtpm(["--version", "--verbose"]), uses);
    const profiles = await swtpm(["socket", "--tpm2", "--print-profiles"]);
    assert.match(profiles, /"default-v1"/, "the libtpms inside");
    for (const family of ["--tpm2", "--tpm12"]) {
      assert.equal(await swtpm(["run", family, "--", "echo", "served"]), "served\n");
    }
    assert.match(await swtpm(["doctor"]), /^ok +trial +'swtpm run' started a TPM 2/m);
    const insists = await swtpm(["--version", "--verbose"], { SWTPM_LOADER: "system" });
    assert.match(insists, new RegExp(`^ glibc ${glibc.replace(".", "\\.")}, this machine's$`, "m"));
  });
}
