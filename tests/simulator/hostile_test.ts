// Clients of the simulator's ports that send what they should not: cut, wrong, endless, all at once.
// Each ends itself at most; a good client is answered all the while.
import assert from "node:assert/strict";
import { TPM_RC } from "../../tcg/tpm2/results.ts";
import { fields, hex, repeated, u32 } from "../support/bytes.ts";
import { readAnswer, readGetRandom, readPcrRead, successBody, tpm2 } from "../support/tpm2.ts";
import {
  COMMAND,
  DONE,
  hashData,
  PLATFORM,
  type Port,
  sendCommand,
  Simulator,
  SIMULATORS,
} from "./server.ts";

const WAYS = Object.keys(SIMULATORS) as (keyof typeof SIMULATORS)[];

async function started(way: keyof typeof SIMULATORS = "--mssim"): Promise<
  { simulator: Simulator; good: () => Promise<void> } & AsyncDisposable
> {
  const simulator = await Simulator.start("unix", { flags: ["not-need-init"] }, way);
  const command = await simulator.connect();
  const platform = await simulator.connectPlatform();
  await platform.ask(PLATFORM.POWER_ON);
  successBody(await command.run(tpm2.startup()));
  const good = async () => {
    assert.equal(readGetRandom(await command.run(tpm2.getRandom(8))).length, 8);
    assert.equal(hex(await platform.ask(PLATFORM.POWER_ON)), DONE);
  };
  return {
    simulator,
    good,
    async [Symbol.asyncDispose]() {
      command[Symbol.dispose]();
      platform[Symbol.dispose]();
      await simulator[Symbol.asyncDispose]();
    },
  };
}

async function isClosed(port: Port): Promise<void> {
  assert.equal((await port.wire.receiveUntilClosed()).length, 0);
}

for (const way of WAYS) {
  Deno.test(`${way}: messages in pieces of any size, and all in one`, async () => {
    await using server = await started(way);
    const hello = fields(u32(COMMAND.REMOTE_HANDSHAKE), u32(1));
    const random = tpm2.getRandom(8);
    const messages = fields(
      hello,
      sendCommand(random),
      u32(COMMAND.HASH_START),
      hashData(repeated(1, 30)),
      u32(COMMAND.HASH_END),
      random,
      u32(COMMAND.SET_ALTERNATIVE_RESULT),
      u32(0),
    );
    const expected = 12 + (4 + 20 + 4) + 4 + 4 + 4 + 20 + 4;
    for (const sizes of [[1], [2, 3], [4], [5, 4], [7], [9], [13, 1], [messages.length]]) {
      using port = await server.simulator.connect();
      await port.wire.sendSplit(messages, sizes);
      const answers = await port.wire.receive(expected);
      assert.equal(
        hex(answers.subarray(0, 12)),
        "00000001" + SIMULATORS[way] + DONE,
        `pieces of ${sizes}`,
      );
      assert.equal(await port.wire.receivedLength(), 0);
      await server.good();
    }
    using platform = await server.simulator.connectPlatform();
    const wires = fields(u32(PLATFORM.NV_ON), u32(PLATFORM.ACT_GET_SIGNALED), u32(0x40000110));
    for (const sizes of [[1], [3], [5], [wires.length]]) {
      await platform.wire.sendSplit(wires, sizes);
      assert.equal(hex(await platform.wire.receive(12)), DONE + DONE + DONE);
    }
    // More than its buffer holds, before anything is read.
    await platform.wire.send(fields(...new Array<Uint8Array>(500).fill(u32(PLATFORM.NV_ON))));
    assert.equal(hex(await platform.wire.receive(2000)), DONE.repeat(500));
  });
}

for (const way of WAYS) {
  Deno.test(`${way}: the length that SEND_COMMAND says counts`, async () => {
    await using server = await started(way);
    using port = await server.simulator.connect();
    const random = tpm2.getRandom(8);
    const codeOf = async () => readAnswer(await port.response()).code;
    await port.wire.send(sendCommand(fields(random, new Uint8Array(3))));
    assert.equal(await codeOf(), TPM_RC.COMMAND_SIZE, "bytes behind the command");
    await port.wire.send(sendCommand(random.subarray(0, 11), 0));
    assert.equal(await codeOf(), TPM_RC.COMMAND_SIZE, "too few of them");
    for (const few of [0, 1, 9]) {
      await port.wire.send(sendCommand(random.subarray(0, few)));
      assert.notEqual(await codeOf(), TPM_RC.SUCCESS, `${few} bytes`);
    }
    successBody(await port.run(random));
    await server.good();
  });
}

for (const way of WAYS) {
  Deno.test(`${way}: what is cut, too long or no word at all ends its own connection at most`, async () => {
    await using server = await started(way);
    const { simulator } = server;
    const random = tpm2.getRandom(8);
    const cases: [string, Uint8Array][] = [
      ["a command that is longer than any", sendCommand(repeated(0, 5000), 0)],
      ["a command that says so", sendCommand(random, 0, 0xffffffff)],
      ["a handshake of version 0", fields(u32(COMMAND.REMOTE_HANDSHAKE), u32(0))],
    ];
    for (const [what, bytes] of cases) {
      using port = await simulator.connect();
      await port.wire.send(bytes);
      await isClosed(port).catch((error) => assert.fail(`${what}: ${error.message}`));
      await server.good();
    }
    for (const word of [0, 1, 9, 17, 0xff, 0x7fffffff, 0xffffffff]) {
      using port = await simulator.connect();
      await port.wire.send(fields(u32(word), u32(0), u32(0)));
      assert.notEqual(readAnswer(await port.wire.receive(10)).code, TPM_RC.SUCCESS, `word ${word}`);
      successBody(await port.run(random));
    }
    // What waits for its rest holds up nobody, nor does a client that goes in the middle of a message.
    const halves = [Uint8Array.of(0, 0), sendCommand(random, 0, 13), hashData(repeated(1, 8), 20)];
    for (const half of halves) {
      using waiting = await simulator.connect();
      await waiting.wire.send(half);
      await server.good();
      assert.equal(await waiting.wire.receivedLength(), 0);
    }
    {
      using gone = await simulator.connect();
      await gone.wire.send(hashData(repeated(1, 5000), 1_000_000));
    }
    using halfWord = await simulator.connectPlatform();
    await halfWord.wire.send(Uint8Array.of(0));
    await server.good();
  });
}

Deno.test("a client that sends data without end is one of many, and takes no memory", async () => {
  await using server = await started();
  const { simulator } = server;
  using port = await simulator.connect();
  await port.ask(COMMAND.HASH_START);
  const before = simulator.emulator.memory();
  await port.wire.send(hashData(new Uint8Array(), 0xffffffff));
  const piece = repeated(7, 1 << 20);
  for (let sent = 0; sent < 32; sent++) {
    await port.wire.send(piece);
    if (sent % 8 === 0) await server.good();
  }
  const grown = simulator.emulator.memory().privateKiB - before.privateKiB;
  assert.ok(grown < 24 * 1024, `grew by ${grown} KiB`);
  port.wire.close();
  using other = await simulator.connect();
  await server.good();
  successBody(await other.run(tpm2.pcrRead(17)));
  assert.equal(readPcrRead(await other.run(tpm2.pcrRead(0))).length, 32);
});

Deno.test("many clients at a time are answered, those of the data channel, too", async () => {
  await using server = await started();
  const { simulator } = server;
  using data = await simulator.emulator.connectData();
  const ports = await Promise.all(
    Array.from({ length: 20 }, async () =>
      [
        await simulator.connect(),
        await simulator.connectPlatform(),
      ] as const),
  );
  await Promise.all(ports.map(async ([command, platform]) => {
    for (let n = 0; n < 20; n++) {
      assert.equal(readGetRandom(await command.run(tpm2.getRandom(16))).length, 16);
      assert.equal(hex(await platform.ask(PLATFORM.NV_ON)), DONE);
    }
  }));
  successBody(await data.command(tpm2.getRandom(8)));
  for (const pair of ports) for (const port of pair) port[Symbol.dispose]();
  await server.good();
});
