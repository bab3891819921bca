// Tests of telling which Debian packages a machine has. Installing them is seen when the tests run
// on a fresh machine.

import assert from "node:assert/strict";
import { installedIn, missingOf, PACKAGES } from "./packages.ts";

Deno.test("only packages that are fully installed count, with what they provide", () => {
  const names = installedIn(
    "installed\tsocat\t\n" +
      "config-files\tstrace\t\n" +
      "installed\tlibtpms0t64\tlibtpms0 (= 0.9.2-3.1), libtpms-of-old\n",
  );
  assert.deepEqual([...names].sort(), ["libtpms-of-old", "libtpms0", "libtpms0t64", "socat"]);
  assert.deepEqual(missingOf(["libtpms0", "socat", "strace", "xxd"], names), ["strace", "xxd"]);
});

Deno.test("each purpose includes the one before it and names nothing twice", () => {
  for (const names of Object.values(PACKAGES)) assert.equal(new Set(names).size, names.length);
  assert.deepEqual(missingOf(PACKAGES.run, new Set(PACKAGES.demo)), []);
  assert.deepEqual(missingOf(PACKAGES.demo, new Set(PACKAGES.test)), []);
});
