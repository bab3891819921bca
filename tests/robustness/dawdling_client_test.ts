// A client that sends a part of a message and then nothing must hold up nobody but itself: the
// other channel is served, and the process can be told to end.

import assert from "node:assert/strict";
import { TPM_CAP } from "../../tcg/tpm2/constants.ts";
import { hex, u32 } from "../support/bytes.ts";
import { Client } from "../support/client.ts";
import { CMD, controlMessage, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { programUnderTest } from "../support/programs.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { pause } from "../support/wait.ts";

/** Others are served in milliseconds, on a busy machine in seconds; by the C program never. */
const SOON_MS = 8000;

for (const transport of ["unix", "tcp"] as const) {
  Deno.test(`three bytes of a TPM command do not hold up the control channel (${transport})`, async () => {
    await using emulator = await Emulator.start({ transport, flags: ["startup-clear"] });
    using data = await emulator.connectData();
    using control = await emulator.connectControl();
    const command = tpm2.getRandom(8);
    await data.wire.send(command.subarray(0, 3));
    for (let n = 0; n < 3; n++) {
      const answer = await control.command(CMD.GET_CONFIG, undefined, SOON_MS);
      assert.equal(hex(answer), "0000000000000000");
    }
    await data.wire.send(command.subarray(3));
    assert.equal(readAnswer(await data.answer()).code, 0);
  });

  Deno.test(`three bytes of a TPM command do not keep SIGTERM from ending (${transport})`, async () => {
    await using emulator = await Emulator.start({ transport, flags: ["startup-clear"] });
    using data = await emulator.connectData();
    assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
    await data.wire.send(tpm2.getRandom(8).subarray(0, 3));
    // Nobody answers these bytes: the emulator is given time to read them.
    await pause(50);
    assert.equal((await emulator.stop(SOON_MS)).code, 0);
  });
}

Deno.test("a part of a body does not keep SIGTERM from ending", async () => {
  for (
    const [setup, body] of [
      [CMD.HASH_START, controlMessage(CMD.HASH_DATA, u32(0x100000))],
      [CMD.STOP, controlMessage(CMD.SET_STATEBLOB, payload.getStateBlob(0, 1, 0x40000))],
    ] as const
  ) {
    await using emulator = await Emulator.start({ flags: ["startup-clear"] });
    using control = await emulator.connectControl();
    await control.command(setup);
    // More than is collected before the command begins, so that its body is being waited for.
    await control.wire.send(body);
    await control.wire.send(new Uint8Array(5000));
    using data = await emulator.connectData();
    const answer = readAnswer(await data.command(tpm2.getRandom(8), SOON_MS));
    assert.equal(answer.code, setup === CMD.STOP ? 0x101 : 0);
    assert.equal((await emulator.stop(SOON_MS)).code, 0);
  }
});

Deno.test("a control request that comes byte by byte ends its connection, as with the C programs", async (t) => {
  const programs = [programUnderTest(), await peerProgram("0.7.1"), await peerProgram("0.10")];
  for (const program of programs) {
    await t.step(program.name, async () => {
      await using emulator = await Emulator.start({ program, dataServer: false });
      using client = await Client.connect(emulator.controlAddress);
      // It would be whole after minutes.
      await client.send(controlMessage(CMD.HASH_DATA, u32(4000)));
      let over = false;
      const end = client.receiveUntilClosed(SOON_MS).then(hex, ({ message }: Error) => message)
        .finally(() => over = true);
      while (!over) {
        await pause(50);
        // It may just have been closed.
        await client.send(Uint8Array.of(0)).catch(() => {});
      }
      assert.equal(await end, "");
      using next = await emulator.connectControl();
      assert.equal(hex(await next.command(CMD.GET_CONFIG)), "0000000000000000");
    });
  }
});

Deno.test("a control client that never reads does not hold up the data channel [hang-up]", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  const control = await emulator.connectControl();
  using data = await emulator.connectData();
  // Each answer is a state of some kilobytes; together they do not fit into the socket.
  const get = controlMessage(CMD.GET_STATEBLOB, payload.getStateBlob(1, 1));
  const sending = (async () => {
    // A read may take hundreds at once, of which the first counts.
    for (let n = 0; n < 2_000_000; n++) await control.wire.send(get);
  })().catch((error) => error as Error);
  try {
    for (let n = 0; n < 300; n++) {
      assert.equal(readAnswer(await data.command(tpm2.getRandom(8), SOON_MS)).code, 0);
    }
    assert.equal((await emulator.stop(SOON_MS)).code, 0);
  } finally {
    control.close();
  }
  assert.ok(await sending instanceof Error, "the emulator has taken 2,000,000 requests unread");
});

Deno.test("a data client that never reads does not hold up the control channel [hang-up]", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  const data = await emulator.connectData();
  using control = await emulator.connectControl();
  const get = tpm2.getCapability(TPM_CAP.COMMANDS, 0x11f, 300);
  const sending = (async () => {
    for (let n = 0; n < 200_000; n++) await data.wire.send(get);
  })().catch((error) => error as Error);
  try {
    for (let n = 0; n < 300; n++) {
      const answer = await control.command(CMD.GET_CONFIG, undefined, SOON_MS);
      assert.equal(hex(answer), "0000000000000000");
    }
    assert.equal((await emulator.stop(SOON_MS)).code, 0);
  } finally {
    data.close();
  }
  assert.ok(await sending instanceof Error, "the emulator has taken 200,000 commands unread");
});
