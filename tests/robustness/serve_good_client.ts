// The client that does everything right: it must be served from the start, whatever others did
// before it. Leaves what they did to the tests.

import assert from "node:assert/strict";
import { repeated, u32 } from "../support/bytes.ts";
import type { ControlClient, DataClient } from "../support/client.ts";
import { BLOB, CMD, payload, RESULT } from "../support/control.ts";
import { firmwareStart, isDeactivated, tpm12 } from "../support/tpm12.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";

/** The ways to a TPM's two channels. */
export interface Channels {
  connectControl(): Promise<ControlClient>;
  connectData(): Promise<DataClient>;
}

/** Turns the TPM off and on, starts it up, and has it answer; each must succeed. */
export async function serveGoodClient(isTpm2: boolean, channels: Channels): Promise<void> {
  await turnOn(channels);
  using data = await channels.connectData();
  await startUp(isTpm2, data);
  if (!isTpm2 && isDeactivated(await data.command(tpm12.volatileFlags()))) {
    // Somebody deactivated it (TPM_PhysicalSetDeactivated), which the firmware has taken back by
    // now: that counts from the machine's next start.
    await turnOn(channels);
    await startUp(isTpm2, data);
  }
  const random = isTpm2 ? tpm2.getRandom(16) : tpm12.getRandom(16);
  assert.equal(readAnswer(await data.command(random)).code, 0);
}

/** Leaves behind what others did: it begins with the permanent state. */
async function turnOn(channels: Channels): Promise<void> {
  using control = await channels.connectControl();
  const result = async (name: keyof typeof CMD, bytes?: Uint8Array) =>
    (await control.command(CMD[name], bytes)).subarray(0, 4);
  const ok = u32(RESULT.SUCCESS);
  assert.deepEqual(await result("STOP"), ok);
  // A blob that was set last would be taken for the state.
  for (const type of [BLOB.PERMANENT, BLOB.VOLATILE]) {
    await result("SET_STATEBLOB", payload.setStateBlob(type, repeated(0xff, 30)));
  }
  assert.deepEqual(await result("SET_LOCALITY", payload.setLocality(0)), ok);
  assert.deepEqual(await result("INIT", payload.init(1)), ok);
  // What was resumed with the volatile state is left behind.
  assert.deepEqual(await result("INIT", payload.init(1)), ok);
}

async function startUp(isTpm2: boolean, data: DataClient): Promise<void> {
  const start = isTpm2 ? [tpm2.startup()] : firmwareStart();
  for (const bytes of start) assert.equal(readAnswer(await data.command(bytes)).code, 0);
}
