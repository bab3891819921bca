// Migration on shared storage: whoever hands out the savestate gives up the storage lock, another
// emulator can take the state over, and the first one takes it back or ends.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import type { ControlClient } from "../support/client.ts";
import { BLOB, CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";

const OK = "00000000";
const FAIL = "00000009";

Deno.test("the state is handed over with the savestate, and taken back", async () => {
  await using folder = new TempDir();
  await using source = await Emulator.start({ stateDir: folder.path, flags: ["startup-clear"] });
  await using target = await Emulator.start({
    stateDir: folder.path,
    args: ["--migration", "incoming"],
  });
  using onSource = await source.connectControl();
  using onTarget = await target.connectControl();
  assert.equal(await lock(onSource), OK, "the lock is held from the start");
  // A target starts without the lock, and gets it only when the source has let go.
  assert.equal(hex(await onTarget.command(CMD.INIT, payload.init())), OK);
  assert.equal(await lock(onTarget), FAIL);

  await exportAll(onSource);
  assert.equal(await lock(onTarget), OK);
  assert.equal(await lock(onSource), FAIL);
  assert.ok(source.process.running);

  assert.equal((await target.stop()).code, 0);
  assert.equal(await lock(onSource), OK);
  using data = await source.connectData();
  assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
  assert.equal((await source.stop()).code, 0);
});

Deno.test("without the lock the next TPM command ends the process", async () => {
  await using folder = new TempDir();
  await using source = await Emulator.start({ stateDir: folder.path, flags: ["startup-clear"] });
  using onSource = await source.connectControl();
  await exportAll(onSource);
  await using target = await Emulator.start({ stateDir: folder.path, flags: ["startup-clear"] });
  await target.serving();
  using data = await source.connectData();
  await data.wire.send(tpm2.getRandom(8));
  // It tries for three seconds, as a target may be about to give up.
  const { code } = await source.process.ended();
  assert.equal(code, 0);
  using onTarget = await target.connectData();
  assert.equal(readAnswer(await onTarget.command(tpm2.getRandom(8))).code, 0);
});

/** What QEMU does at the end of a migration, savestate last. */
async function exportAll(control: ControlClient): Promise<void> {
  for (const type of [BLOB.PERMANENT, BLOB.VOLATILE, BLOB.SAVESTATE]) {
    const answer = await control.command(CMD.GET_STATEBLOB, payload.getStateBlob(type, 1));
    const expected = type === BLOB.SAVESTATE ? "00000800" : OK;
    assert.equal(hex(answer.subarray(0, 4)), expected, `type ${type}`);
  }
}

async function lock(control: ControlClient): Promise<string> {
  return hex(await control.command(CMD.LOCK_STORAGE, payload.lockStorage(0)));
}
