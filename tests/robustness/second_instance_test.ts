// A state folder belongs to one emulator at a time: the second is refused, says who has it, and
// harms neither. Both TPM versions share a folder's lock.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";

for (const secondTpm2 of [true, false]) {
  const name = secondTpm2 ? "TPM 2" : "TPM 1.2";
  Deno.test(`a second emulator (${name}) on the same state ends with exit code 1 [lock-holder]`, async () => {
    await using folder = new TempDir();
    await using first = await Emulator.start({ stateDir: folder.path, flags: ["startup-clear"] });
    await first.serving();
    await using second = Emulator.spawn({
      stateDir: folder.path,
      tpm2: secondTpm2,
      flags: ["startup-clear"],
    });
    const { code, stderr } = await second.ended();
    assert.equal(code, 1, stderr);
    assert.match(stderr, /Could not lock access to lockfile/);
    assert.ok(stderr.includes(folder.path), `the folder is not named: "${stderr}"`);
    assert.match(stderr, new RegExp(`\\b${first.pid}\\b`), "the holder's pid is not named");
    await assertAnswers(first);
  });
}

Deno.test("INIT is refused while another emulator has the state, and works afterwards", async () => {
  await using folder = new TempDir();
  await using second = await Emulator.start({ stateDir: folder.path });
  using control = await second.connectControl();
  {
    await using first = await Emulator.start({ stateDir: folder.path, flags: ["startup-clear"] });
    await first.serving();
    assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000009");
    assert.ok(second.process.running);
    await assertAnswers(first);
    assert.equal((await first.stop()).code, 0);
  }
  assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000000");
  using data = await second.connectData();
  assert.equal(readAnswer(await data.command(tpm2.startup())).code, 0);
});

async function assertAnswers(emulator: Emulator): Promise<void> {
  using data = await emulator.connectData();
  assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
}
