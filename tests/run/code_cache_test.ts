// The executable brings its code along, and runs as well where it cannot use it: each copy below
// has another reason.

import assert from "node:assert/strict";
import { DIGEST_SIZE, type Places, PROGRAM, RUN } from "../../scripts/executable/parts.ts";
import { Emulator } from "../support/emulator.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";

const THERE = "timing: the code of program.js was there from the build\n";
const COMPILED = "timing: the code of program.js was compiled\n";

/** The section with the places is at the end; it is not that long. */
const SECTION_MAX = 1 << 20;

/** Where code and tools are in an executable. */
function placesIn(executable: Uint8Array): Places {
  const section = new TextDecoder("latin1").decode(executable.subarray(-SECTION_MAX));
  const places = /\{"texts":\{.*?\}\},"codes":\{.*?\}\}\}/.exec(section)
    ?.[0];
  if (places === undefined) throw new Error("the executable does not know where its code is");
  return JSON.parse(places) as Places;
}

/** A copy of the executable with something wrong where a part of it stands. */
async function damagedCopy(
  folder: TempDir,
  part: keyof Places,
  name: string,
  damage: (bytes: Uint8Array) => void,
): Promise<string> {
  const executable = await Deno.readFile(programUnderTest().command);
  const { at, size } = placesIn(executable)[part][name]!;
  damage(executable.subarray(at, at + DIGEST_SIZE + size));
  const copy = folder.join("swtpm");
  await Deno.writeFile(copy, executable, { mode: 0o755 });
  return copy;
}

/** Starts a TPM and returns what it said about its code, once it has answered a command. */
async function codeOf(command: string, env: Record<string, string> = {}): Promise<string> {
  await using emulator = await Emulator.start({
    program: plainProgram("a copy", command),
    flags: ["startup-clear"],
    env: { SWTPM_TIMING: "1", ...env },
  });
  using data = await emulator.connectData();
  assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
  assert.equal((await emulator.stop()).code, 0);
  return emulator.stderr.slice(0, emulator.stderr.indexOf("\n") + 1);
}

Deno.test("code: it was made when the executable was built", async () => {
  assert.equal(await codeOf(programUnderTest().command), THERE);
});

// The runtime has the program below it, without a file there, and reads none below /dev.
for (const folder of ["/dev/shm", "/proc", "/nowhere/a b#c%20d?e"]) {
  Deno.test(`code: it is there with ${folder} for temporary files`, async () => {
    assert.equal(await codeOf(programUnderTest().command, { TMPDIR: folder }), THERE);
  });
}

for (
  const [what, damage] of [
    ["is not the one that was built", (bytes: Uint8Array) => bytes[0]! ^= 1],
    // V8's head of a code cache: a magic number, then a hash of its version
    ["was made by another V8", (bytes: Uint8Array) => bytes[DIGEST_SIZE + 4]! ^= 1],
  ] as const
) {
  Deno.test(`code: one that ${what} is made anew`, async () => {
    await using folder = new TempDir();
    assert.equal(await codeOf(await damagedCopy(folder, "codes", PROGRAM, damage)), COMPILED);
  });
}

async function runTrue(command: string) {
  const { code, stderr } = await new Deno.Command(command, {
    args: ["run", "--", "true"],
    env: { SWTPM_TIMING: "1" },
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("code: that of run was made when the executable was built", async () => {
  const { code, stderr } = await runTrue(programUnderTest().command);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^timing: the code of run\.js was there from the build$/m);
});

Deno.test("code: run runs without its own", async () => {
  await using folder = new TempDir();
  const copy = await damagedCopy(folder, "codes", RUN, (bytes) => bytes[0]! ^= 1);
  const { code, stderr } = await runTrue(copy);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^timing: the code of run\.js was compiled$/m);
});

Deno.test("code: a text that is not that of the build is not run", async () => {
  await using folder = new TempDir();
  const copy = await damagedCopy(folder, "texts", RUN, (bytes) => bytes[0]! ^= 1);
  const { code, stderr } = await runTrue(copy);
  assert.equal(code, 1);
  assert.match(stderr, /^swtpm: "[^"]*" is not the file any more that was started$/m);
});
