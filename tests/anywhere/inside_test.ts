// The libraries inside: Debian's newest by a table of digests, and what that gives a machine whose
// libtpms is older.

import assert from "node:assert/strict";
import pinned from "../../scripts/inside/debian.json" with { type: "json" };
import { said } from "../run/runner.ts";
import { run } from "../support/process.ts";
import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

const EMBEDDED = ["--libtpms", "embedded"];

async function swtpm(words: readonly string[], env: Record<string, string> = {}) {
  const outcome = await run(programUnderTest(), words, { env });
  assert.equal(outcome.code, 0, said(outcome));
  return outcome.stdout;
}

Deno.test("what is inside is what the table pins", async () => {
  const contents = await swtpm(["--version", "--verbose"]);
  const here = pinned[Deno.build.arch === "x86_64" ? "x64" : "arm64"];
  for (const { package: name, version } of here) {
    if (/^gcc-\d+-base$/.test(name)) continue; // a licence alone
    assert.ok(contents.includes(`(package ${name} ${version})`), `${name} ${version}`);
  }
});

Deno.test("--libtpms embedded has profiles, whatever the machine's libtpms and glibc are", async () => {
  await using folder = new TempDir();
  const profiles = await swtpm(["socket", "--tpm2", "--print-profiles", ...EMBEDDED]);
  assert.match(profiles, /"default-v1"/);
  const state = ["--tpmstate", `dir=${folder.path}`];
  const make = [...state, ...EMBEDDED, "--profile", "name=custom:test"];
  const info = ["--print-info", "0x60", "--flags", "not-need-init"];
  const made = await swtpm(["socket", "--tpm2", ...make, ...info]);
  assert.match(made, /"Name":"custom:test"/);
  const words = ["run", ...state, ...EMBEDDED, "--", "tpm2_getrandom", "--hex", "8"];
  assert.match(await swtpm(words), /^[0-9a-f]{16}$/);
  const byVariable = { SWTPM_LIBTPMS: "embedded" };
  assert.equal(await swtpm(["socket", "--tpm2", "--print-profiles"], byVariable), profiles);
});

Deno.test("the doctor warns of a libtpms that is older than the mending of a published hole", async () => {
  const doctor = (choice: string) => swtpm(["doctor", "--libtpms", choice]);
  const inside = await doctor("embedded");
  assert.match(inside, /^ok +libtpms +0\.1\d\.\d+, the one inside .*, with profiles$/m);
  assert.doesNotMatch(inside, /^warn +holes/m);
  const systems = await doctor("system");
  const version = /^ok +libtpms +(0\.\d+\.\d+), the system's/m.exec(systems)?.[1];
  assert.ok(version !== undefined, systems);
  if (!version.startsWith("0.9.")) return console.log(`not tried: the machine has ${version}`);
  assert.match(systems, /^warn +holes +libtpms 0\.9\.\d is older than what mends CVE-2025-49133/m);
  assert.match(systems, /-> see whether its package mends it.*'--libtpms embedded' is 0\.1\d/);
});
