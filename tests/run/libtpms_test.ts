// Which libtpms is used: the system's first, the one inside the executable, or a file; by option or
// variable. A system without any is in minimal_root_test.ts.

import assert from "node:assert/strict";
import { CMD } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { Runner, said } from "./runner.ts";

/** The files that an emulator has libtpms and libcrypto from, by its memory map. */
async function librariesOf(emulator: Emulator): Promise<string[]> {
  // It listens before it opens them, but does not answer.
  using control = await emulator.connectControl();
  await control.command(CMD.GET_CAPABILITY);
  const maps = await Deno.readTextFile(`/proc/${emulator.pid}/maps`);
  const found = maps.match(/\S*lib(tpms|crypto)\.so\S*( \(deleted\))?$/gm) ?? [];
  return [...new Set(found)].sort();
}

const IN_MEMORY = ["/memfd:libcrypto.so.3 (deleted)", "/memfd:libtpms.so.0 (deleted)"];

Deno.test("libtpms: the system's where nothing is said [libtpms-choice]", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  const libraries = await librariesOf(emulator);
  assert.equal(libraries.length, 2, libraries.join());
  for (const path of libraries) assert.match(path, /^\/usr\/lib\//);
});

for (
  const [how, options] of [
    ["option", { args: ["--libtpms", "embedded"] }],
    ["variable", { env: { SWTPM_LIBTPMS: "embedded" } }],
    ["option before variable", {
      args: ["--libtpms", "embedded"],
      env: { SWTPM_LIBTPMS: "system" },
    }],
  ] as const
) {
  Deno.test(`libtpms: the one inside, by ${how}, from memory alone`, async () => {
    await using emulator = await Emulator.start({ ...options, flags: ["startup-clear"] });
    assert.deepEqual(await librariesOf(emulator), IN_MEMORY);
    using data = await emulator.connectData();
    assert.equal(readAnswer(await data.command(tpm2.createPrimaryEcc())).code, 0);
    assert.equal((await emulator.stop()).code, 0);
  });
}

Deno.test("libtpms: a file", async () => {
  await using system = await Emulator.start();
  const path = (await librariesOf(system)).find((path) => path.includes("libtpms"))!;
  await using emulator = await Emulator.start({ args: ["--libtpms", path] });
  assert.ok((await librariesOf(emulator)).includes(path));
});

Deno.test("libtpms: a file that is none", async () => {
  await using runner = new Runner();
  for (const path of ["/no/such/library", "/etc/passwd"]) {
    const words = ["socket", "--tpm2", "--libtpms", path, "--print-capabilities"];
    const outcome = await runner.swtpm(words);
    assert.equal(outcome.code, 1, said(outcome));
    assert.match(outcome.stderr, new RegExp(`^swtpm: dlopen '${path}'`));
  }
});

Deno.test("version: the verbose one lists what is inside, with licences and their words", async () => {
  await using runner = new Runner();
  const short = await runner.swtpm(["--version"]);
  assert.match(short.stdout, /^TPM emulator version \d+\.\d+\.\d+, [^\n]+\n$/);
  const { code, stdout } = await runner.swtpm(["--version", "--verbose"]);
  assert.equal(code, 0);
  assert.ok(stdout.startsWith(short.stdout), stdout);
  assert.match(stdout, /^ Deno 2\.\d+\.\d+, MIT$/m);
  assert.match(
    stdout,
    /^ libcrypto\.so\.3: OpenSSL \(libcrypto\) 3\.\S+ \(package \S+ \S+\), Apache-2\.0$/m,
  );
  assert.match(
    stdout,
    /^ libtpms\.so\.0: libtpms 0\.\d+\.\d+ \(package \S+ \S+\), BSD-3-Clause AND LicenseRef-IBM-Custom$/m,
  );
  assert.match(stdout, /Redistributions in binary form must reproduce the above copyright/);
  assert.match(stdout, /Apache License\s+Version 2\.0, January 2004/);
});
