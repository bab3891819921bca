// One executable, several programs: links make it the C project's tools, `swtpm install-tools` makes the
// links, and the first word does without.
import assert from "node:assert/strict";
import { LINKS } from "../../cli/programs.ts";
import { type Outcome, run } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

const names = Object.keys(LINKS);

Deno.test("install-tools makes the links, once", async () => {
  await using folder = new TempDir();
  const made = await run(programUnderTest(), ["install-tools", folder.path]);
  assert.deepEqual([made.code, made.stderr], [0, ""]);
  assert.equal(made.stdout, names.map((name) => `${folder.join(name)}\n`).join(""));
  for (const [name, tool] of Object.entries(LINKS)) {
    // The one that has no long name for it.
    const help = tool === "bios" ? "-h" : "--help";
    const linked = await run(plainProgram(name, folder.join(name)), [help]);
    const worded = await run(programUnderTest(), [tool, help]);
    assert.equal(linked.code, 0);
    // Pages of help name the program as it was called.
    const page = ({ stdout }: Outcome, called: string) => stdout.replaceAll(called, "TOOL");
    assert.match(linked.stdout, /^Usage: /m);
    assert.equal(page(linked, folder.join(name)), page(worded, `swtpm ${tool}`));
  }
  const again = await run(programUnderTest(), ["install-tools", folder.path]);
  assert.deepEqual([again.code, again.stdout, again.stderr], [0, "", ""]);
});

Deno.test("beside the program the links are relative", async () => {
  await using folder = new TempDir();
  const program = folder.join("swtpm");
  Deno.copyFileSync(programUnderTest().command, program);
  const { code, stderr } = await run(plainProgram("copy", program), ["install-tools", folder.path]);
  assert.equal(code, 0, stderr);
  for (const name of names) assert.equal(Deno.readLinkSync(folder.join(name)), "swtpm");
});

Deno.test("what is there by such a name stays, and nothing is made then", async () => {
  await using folder = new TempDir();
  const last = names.at(-1)!;
  Deno.writeTextFileSync(folder.join(last), "another program");
  const { code, stdout, stderr } = await run(programUnderTest(), ["install-tools", folder.path]);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.ok(stderr.startsWith(`swtpm: '${folder.join(last)}' is there`), stderr);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), [last]);
});

Deno.test("install-tools wants one folder that is there", async () => {
  for (const words of [[], ["a", "b"], ["/nowhere/folder"], ["--bogus"]]) {
    const { code, stdout, stderr } = await run(programUnderTest(), ["install-tools", ...words]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.notEqual(stderr, "");
  }
});
