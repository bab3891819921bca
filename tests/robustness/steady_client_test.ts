// A data client that comes back again and again is waited for in its own channel. Others must be
// served all the same: the control channel, a signal, the next data client.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { CMD } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { pause } from "../support/wait.ts";

/** Others are served in milliseconds, on a busy machine in seconds. */
const SOON_MS = 8000;
/** Enough for the emulator to know the client's habit. */
const HABIT = 40;
/** Between two commands: the client is slower than looking for it takes, and soon back. */
const PACE_MS = 2;
const CONTROLS = 25;

/** Sends commands at that pace until it is told to end; returns how many were answered. */
async function steadily(emulator: Emulator, end: AbortSignal, habit: () => void): Promise<number> {
  using data = await emulator.connectData();
  for (let answered = 0;; answered++) {
    if (end.aborted) return answered;
    if (answered === HABIT) habit();
    assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
    await pause(PACE_MS);
  }
}

for (const transport of ["unix", "tcp"] as const) {
  Deno.test(`a steady data client does not hold up the control channel (${transport})`, async () => {
    await using emulator = await Emulator.start({ transport, flags: ["startup-clear"] });
    using control = await emulator.connectControl();
    const end = new AbortController();
    const habit = Promise.withResolvers<void>();
    const client = steadily(emulator, end.signal, habit.resolve);
    await Promise.race([habit.promise, client]);
    const begin = performance.now();
    for (let n = 0; n < CONTROLS; n++) {
      const answer = await control.command(CMD.GET_CONFIG, undefined, SOON_MS);
      assert.equal(hex(answer), "0000000000000000");
      await pause(PACE_MS);
    }
    assert.ok(performance.now() - begin < SOON_MS);
    end.abort();
    assert.ok(await client > HABIT);
  });
}

/** A wait for the data client alone may take 10 ms. */
const BEHIND_MS_MAX = 5;

for (const transport of ["unix", "tcp"] as const) {
  Deno.test(`a control command right behind data commands waits for no more (${transport})`, async () => {
    await using emulator = await Emulator.start({ transport, flags: ["startup-clear"] });
    using control = await emulator.connectControl();
    using data = await emulator.connectData();
    const took: number[] = [];
    for (let n = 0; n < CONTROLS; n++) {
      for (let command = 0; command < HABIT; command++) {
        assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
      }
      const begin = performance.now();
      await control.command(CMD.GET_CONFIG, undefined, SOON_MS);
      took.push(performance.now() - begin);
    }
    const median = took.sort((a, b) => a - b)[CONTROLS >> 1]!;
    assert.ok(median < BEHIND_MS_MAX, `half of them took more than ${median} ms`);
  });
}

Deno.test("SIGTERM ends an emulator that waits for a steady client", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  using data = await emulator.connectData();
  for (let n = 0; n < HABIT; n++) {
    assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
    await pause(PACE_MS);
  }
  assert.equal((await emulator.stop(SOON_MS)).code, 0);
});

Deno.test("the client after a steady one is served", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  for (let client = 0; client < 3; client++) {
    using data = await emulator.connectData();
    for (let n = 0; n < HABIT; n++) {
      assert.equal(readAnswer(await data.command(tpm2.getRandom(8), SOON_MS)).code, 0);
    }
  }
});
