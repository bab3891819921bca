// Commands that are sent without waiting for the answers to those before: each is answered, wherever
// a segment, or the buffer that they are read into, ends.

import assert from "node:assert/strict";
import type { DataClient } from "../support/client.ts";
import { Emulator } from "../support/emulator.ts";
import { readAnswer, tpm2, withLocality } from "../support/tpm2.ts";
import { pause } from "../support/wait.ts";

/** How long the rest of a command may take, and somewhat more. */
const OVERDUE_MS = 700;
/** Size of an answer to a GetRandom: header, size, bytes. */
const answerSize = (random: number) => 10 + 2 + random;

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Receives the answers to GetRandom with these sizes; each is a success of its own size. */
async function receiveAnswers(data: DataClient, sizes: readonly number[], prefixed: boolean) {
  for (const [index, size] of sizes.entries()) {
    const length = answerSize(size);
    const bytes = await data.wire.receive(prefixed ? 4 + length + 4 : length);
    const answer = prefixed ? bytes.subarray(4, 4 + length) : bytes;
    assert.equal(readAnswer(answer).code, 0, `answer ${index}`);
    assert.equal(new DataView(answer.buffer, answer.byteOffset).getUint32(2), length);
  }
}

const kinds = [
  ["plain", (size: number) => tpm2.getRandom(size)],
  ["prefixed", (size: number) => withLocality(0, tpm2.getRandom(size))],
] as const;

for (const [kind, command] of kinds) {
  const prefixed = kind === "prefixed";

  Deno.test(`400 ${kind} commands in one send are answered, every one [data-two]`, async () => {
    await using emulator = await Emulator.start({ flags: ["startup-clear"] });
    using data = await emulator.connectData();
    const sizes = Array.from({ length: 400 }, (_, index) => index % 32);
    await data.wire.send(joined(sizes.map(command)));
    await receiveAnswers(data, sizes, prefixed);
  });

  Deno.test(`${kind} commands in segments that end anywhere are answered [data-split]`, async () => {
    await using emulator = await Emulator.start({ flags: ["startup-clear"] });
    using data = await emulator.connectData();
    const sizes = [3, 4, 5];
    const commands = joined(sizes.map(command));
    for (let cut = 1; cut < commands.length; cut++) {
      await data.wire.sendSplit(commands, [cut, commands.length]);
      await receiveAnswers(data, sizes, prefixed);
    }
    for (const piece of [1, 2, 3, 7, 11, 13]) {
      await data.wire.sendSplit(commands, [piece]);
      await receiveAnswers(data, sizes, prefixed);
    }
  });
}

Deno.test("plain and prefixed commands in one send keep their places", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  using data = await emulator.connectData();
  const mixed = joined(
    Array.from({ length: 150 }, () => [
      tpm2.getRandom(1),
      withLocality(0, tpm2.getRandom(2)),
    ]).flat(),
  );
  await data.wire.send(mixed);
  for (let index = 0; index < 150; index++) {
    await receiveAnswers(data, [1], false);
    await receiveAnswers(data, [2], true);
  }
});

Deno.test("a rest that came while the process was stopped is no piece by itself [data-split]", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  using data = await emulator.connectData();
  const command = tpm2.getRandom(8);
  await data.command(command);
  for (let turn = 0; turn < 3; turn++) {
    // The rest is in its socket when the process goes on, and its time is over.
    await data.wire.send(command.subarray(0, 11));
    await pause(100);
    emulator.process.kill("SIGSTOP");
    await data.wire.send(command.subarray(11));
    await pause(OVERDUE_MS);
    emulator.process.kill("SIGCONT");
    assert.equal(readAnswer(await data.answer()).code, 0);
  }
});
