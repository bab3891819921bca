// The executable brings its code along, and runs as well where it cannot use it: each copy below
// has another reason.

import assert from "node:assert/strict";
import { type CodeCachePlace, DIGEST_SIZE } from "../../scripts/executable/parts.ts";
import { Emulator } from "../support/emulator.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";

const THERE = "timing: the code was there from the build\n";
const COMPILED = "timing: the code was compiled\n";

/** The section with the place of the code is at the end; it is not that long. */
const SECTION_MAX = 1 << 20;

/** Where the code is in an executable. */
function placeIn(executable: Uint8Array): CodeCachePlace {
  const section = new TextDecoder("latin1").decode(executable.subarray(-SECTION_MAX));
  const place = /\{"at":\d+,"size":\d+,"digest":"[0-9a-f]{64}"\}/.exec(section)?.[0];
  if (place === undefined) throw new Error("the executable does not know where its code is");
  return JSON.parse(place) as CodeCachePlace;
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
    const executable = await Deno.readFile(programUnderTest().command);
    const { at, size } = placeIn(executable);
    damage(executable.subarray(at, at + DIGEST_SIZE + size));
    const copy = folder.join("swtpm");
    await Deno.writeFile(copy, executable, { mode: 0o755 });
    assert.equal(await codeOf(copy), COMPILED);
  });
}
