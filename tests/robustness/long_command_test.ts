// What happens around a TPM command that takes long: an RSA key is generated while the other channel
// is used, the command is cancelled, the client goes, or the process is to end.

import assert from "node:assert/strict";
import { TPM_RC } from "../../tcg/tpm2/results.ts";
import { hex } from "../support/bytes.ts";
import type { DataClient } from "../support/client.ts";
import { CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { readAnswer, successBody, tpm2 } from "../support/tpm2.ts";
import { pause } from "../support/wait.ts";

/** Long enough for the emulator to have begun, short against the generation of a key. */
const BEGUN_MS = 30;
/** Some keys are found at once, or are at their last step by then: such an attempt shows nothing. */
const ATTEMPTS = 20;
/** A process that waited for the key to be found would take longer now and then. */
const END_MS = 15_000;

/** Every number is another key of the TPM's, always the same and found in the same time. */
const key = (number: number) => tpm2.createPrimaryRsa(3072, number);

/** Starts to generate a key; the answer is not awaited. */
async function begin(data: DataClient, number = 0): Promise<void> {
  await data.wire.send(key(number));
  await pause(BEGUN_MS);
}

/** The transient object of the key before this one would fill the TPM. */
async function flush(data: DataClient): Promise<void> {
  await data.command(tpm2.flushContext(0x80000000));
}

/** Repeats an attempt until it has shown something. */
async function untilShown(what: string, attempt: (n: number) => Promise<boolean>) {
  for (let n = 0; n < ATTEMPTS; n++) if (await attempt(n)) return;
  assert.fail(`in ${ATTEMPTS} attempts ${what}`);
}

Deno.test("the control channel answers while a key is generated [long-commands]", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  using data = await emulator.connectData();
  using control = await emulator.connectControl();
  await untilShown("each answer came only after the key", async (n) => {
    await begin(data, n);
    for (const number of [CMD.GET_CONFIG, CMD.GET_CAPABILITY]) await control.command(number);
    const before = (await data.wire.receivedLength()) === 0;
    successBody(await data.answer());
    await flush(data);
    return before;
  });
});

Deno.test("a key generation can be cancelled, and the TPM goes on [long-commands]", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  using data = await emulator.connectData();
  using control = await emulator.connectControl();
  await untilShown("no command was cancelled", async (n) => {
    await begin(data, n);
    assert.equal(hex(await control.command(CMD.CANCEL_TPM_CMD)), "00000000");
    const { code } = readAnswer(await data.answer());
    assert.ok(code === TPM_RC.SUCCESS || code === TPM_RC.CANCELED, `code 0x${code.toString(16)}`);
    if (code === TPM_RC.SUCCESS) await flush(data);
    return code === TPM_RC.CANCELED;
  });
  // The wish to cancel has been for that command alone.
  successBody(await data.command(key(0)));
});

Deno.test("STOP, INIT and state blobs wait for a key that is generated", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  using data = await emulator.connectData();
  using control = await emulator.connectControl();
  for (
    const [number, bytes] of [
      [CMD.GET_STATEBLOB, payload.getStateBlob(2, 1)],
      [CMD.GET_TPMESTABLISHED, undefined],
      [CMD.SET_LOCALITY, payload.setLocality(0)],
      [CMD.INIT, payload.init(1)],
      [CMD.STORE_VOLATILE, undefined],
      [CMD.STOP, undefined],
    ] as const
  ) {
    await begin(data);
    const answer = await control.command(number, bytes);
    assert.equal(hex(answer.subarray(0, 4)), "00000000", `command ${number}`);
    successBody(await data.answer());
    if (number === CMD.STOP) break;
    if (number === CMD.INIT) successBody(await data.command(tpm2.startup()));
    else await flush(data);
  }
  assert.equal(readAnswer(await data.command(key(0))).code, TPM_RC.FAILURE);
  // The first INIT takes the stored volatile state up, the second one starts afresh.
  for (let n = 0; n < 2; n++) {
    assert.equal(hex(await control.command(CMD.INIT, payload.init(1))), "00000000");
  }
  successBody(await data.command(tpm2.startup()));
  successBody(await data.command(key(0)));
});

Deno.test("a client that leaves during a key generation leaves no answer to the next one", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  for (let n = 0; n < 3; n++) {
    {
      using leaving = await emulator.connectData();
      await begin(leaving);
    }
    using next = await emulator.connectData();
    const answer = readAnswer(await next.command(tpm2.getRandom(16)));
    assert.equal(answer.size, 28, "not the answer to this client's command");
    assert.equal((await next.wire.receiveUntilQuiet(50)).bytes.length, 0);
    await flush(next);
  }
});

Deno.test("commands sent while a key is generated are answered after it, in order", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  using data = await emulator.connectData();
  await begin(data);
  for (const length of [1, 2, 3]) {
    await data.wire.send(tpm2.getRandom(length));
    await pause(2);
  }
  successBody(await data.answer());
  for (const length of [1, 2, 3]) assert.equal(readAnswer(await data.answer()).size, 12 + length);
});

for (
  const [how, end] of [
    ["SIGTERM", (emulator: Emulator) => Promise.resolve(emulator.kill("SIGTERM"))],
    ["SHUTDOWN", async (emulator: Emulator) => {
      using control = await emulator.connectControl();
      await control.command(CMD.SHUTDOWN);
    }],
  ] as const
) {
  Deno.test(`${how} during a key generation ends the process in good time`, async () => {
    await using emulator = await Emulator.start({ flags: ["startup-clear"] });
    using data = await emulator.connectData();
    await begin(data);
    await end(emulator);
    assert.equal((await emulator.process.ended(END_MS)).code, 0);
  });
}
