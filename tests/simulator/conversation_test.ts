// A recorded conversation with both ports of the simulator's protocol: each code that there is, and
// what it brings about.
import assert from "node:assert/strict";
import { commandBytes } from "../../tcg/tpm2/command_bytes.ts";
import { TPM2_Clear } from "../../tcg/tpm2/commands/hierarchies.ts";
import { TPM2_PP_Commands } from "../../tcg/tpm2/commands/management.ts";
import { TPM_RH, TPM_SU } from "../../tcg/tpm2/constants.ts";
import { TPM_RC } from "../../tcg/tpm2/results.ts";
import { fields, hex, repeated, text, u32 } from "../support/bytes.ts";
import { CMD } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { readAnswer, readGetRandom, readPcrRead, successBody, tpm2 } from "../support/tpm2.ts";
import { pause } from "../support/wait.ts";
import { COMMAND, DONE, hashData, PLATFORM, type Port, sendCommand, Simulator } from "./server.ts";

/** TPM_RC_PP of the first authorisation. */
const NOBODY_IS_THERE = TPM_RC.PP + 0x900;

const codeOf = (response: Uint8Array) => readAnswer(response).code;

/** The D-RTM's PCR, which only locality 4 and the hash sequence reset. */
const DRTM_PCR = 17;

async function done(port: Port, word: number): Promise<void> {
  assert.equal(hex(await port.ask(word)), DONE, `word ${word}`);
}

for (const transport of ["unix", "tcp"] as const) {
  Deno.test(`every code of both ports over ${transport}`, async () => {
    await using simulator = await Simulator.start(transport);
    using command = await simulator.connect();
    using platform = await simulator.connectPlatform();

    // Off: the hash sequence is nothing, and a command has an empty answer.
    assert.equal((await command.run(tpm2.startup())).length, 0);
    await done(command, COMMAND.HASH_START);

    const version = u32(1);
    const hello = await command.ask(COMMAND.REMOTE_HANDSHAKE, 12, version);
    assert.equal(hex(hello), "00000001" + "0000004d" + DONE);
    assert.equal(hex(await command.ask(COMMAND.SET_ALTERNATIVE_RESULT, 4, u32(5))), DONE);

    await done(platform, PLATFORM.POWER_ON);
    await done(platform, PLATFORM.NV_ON);
    assert.equal(codeOf(await command.run(tpm2.getRandom(8))), TPM_RC.INITIALIZE);
    successBody(await command.run(tpm2.startup()));
    assert.equal(readGetRandom(await command.run(tpm2.getRandom(8))).length, 8);

    // A TPM that is on stays what it is.
    await done(platform, PLATFORM.POWER_ON);
    assert.equal(codeOf(await command.run(tpm2.startup())), TPM_RC.INITIALIZE);

    for (
      const name of [
        ...["PHYS_PRES_ON", "PHYS_PRES_OFF", "CANCEL_ON", "CANCEL_OFF", "NV_OFF", "NV_ON"] as const,
        ...["KEY_CACHE_ON", "KEY_CACHE_OFF", "RESTART"] as const,
      ]
    ) {
      await done(platform, PLATFORM[name]);
      successBody(await command.run(tpm2.getRandom(8)));
    }
    const sizes = await platform.ask(PLATFORM.GET_COMMAND_RESPONSE_SIZES, 24);
    assert.equal(hex(sizes), "00000010" + "00".repeat(16) + DONE);
    const signaled = await platform.ask(PLATFORM.ACT_GET_SIGNALED, 8, u32(0x40000110));
    assert.equal(hex(signaled), "00000000" + DONE);

    await done(platform, PLATFORM.RESET);
    assert.equal(codeOf(await command.run(tpm2.getRandom(8))), TPM_RC.INITIALIZE);
    await done(platform, PLATFORM.POWER_OFF);
    assert.equal((await command.run(tpm2.getRandom(8))).length, 0);
    await done(platform, PLATFORM.RESET);
    assert.equal((await command.run(tpm2.getRandom(8))).length, 0, "RESET does not turn it on");

    // Goodbye, for these two alone.
    for (const port of [command, platform]) {
      await port.wire.send(u32(COMMAND.SESSION_END));
      assert.equal((await port.wire.receiveUntilClosed()).length, 0);
    }
    using failing = await simulator.connectPlatform();
    assert.equal(hex(await failing.ask(PLATFORM.TEST_FAILURE_MODE)), "00000001");
    assert.equal((await failing.wire.receiveUntilClosed()).length, 0);
    using again = await simulator.connect();
    using powers = await simulator.connectPlatform();
    await done(powers, PLATFORM.POWER_ON);
    successBody(await again.run(tpm2.startup()));
  });
}

Deno.test("STOP ends the process in order, at either port", async () => {
  for (const connect of ["connect", "connectPlatform"] as const) {
    await using simulator = await Simulator.start();
    using port = await simulator[connect]();
    await port.wire.send(u32(COMMAND.STOP));
    assert.equal((await port.wire.receiveUntilClosed()).length, 0);
    assert.equal((await simulator.emulator.process.ended()).code, 0);
  }
});

Deno.test("power is lost as it is: nothing shuts the TPM down before [simulator-power]", async () => {
  await using simulator = await Simulator.start();
  using command = await simulator.connect();
  using platform = await simulator.connectPlatform();
  using control = await simulator.emulator.connectControl();
  const restart = async (off: () => Promise<unknown>) => {
    successBody(await command.run(tpm2.startup()));
    successBody(await command.run(tpm2.createPrimaryEcc()));
    const saved = successBody(await command.run(tpm2.contextSave(0x80000000)));
    await off();
    await done(platform, PLATFORM.POWER_ON);
    successBody(await command.run(tpm2.startup()));
    const code = codeOf(await command.run(tpm2.contextLoad(saved)));
    await done(platform, PLATFORM.RESET);
    return code;
  };
  await done(platform, PLATFORM.POWER_ON);
  // After a Shutdown(STATE), which STOP of the control channel sends, a context goes on.
  const orderly = await restart(() => control.command(CMD.STOP));
  const lost = await restart(() => done(platform, PLATFORM.POWER_OFF));
  assert.equal(orderly, TPM_RC.SUCCESS);
  assert.equal(lost, 0x1df, "integrity, of another life");
  // A client that shuts it down itself has its Restart.
  const own = await restart(async () => {
    successBody(await command.run(tpm2.shutdown(TPM_SU.STATE)));
    await done(platform, PLATFORM.POWER_OFF);
  });
  assert.equal(own, TPM_RC.SUCCESS);
});

Deno.test("the hash sequence measures, in pieces and beyond any buffer", async () => {
  await using simulator = await Simulator.start();
  using command = await simulator.connect();
  using platform = await simulator.connectPlatform();
  await done(platform, PLATFORM.POWER_ON);
  successBody(await command.run(tpm2.startup()));
  for (const length of [0, 3, 4096, 4097, 4098, 100_000]) {
    const data = repeated(0x5a, length);
    await done(command, COMMAND.HASH_START);
    await command.wire.send(hashData(data));
    assert.equal(hex(await command.wire.receive(4)), DONE, `${length} bytes`);
    await command.wire.send(fields(hashData(text("more")), u32(COMMAND.HASH_END)));
    assert.equal(hex(await command.wire.receive(8)), DONE + DONE);
    const measured = await sha256(fields(data, text("more")));
    const expected = await sha256(fields(new Uint8Array(32), measured));
    const pcr = readPcrRead(await command.run(tpm2.pcrRead(DRTM_PCR)));
    assert.equal(hex(pcr), hex(expected), `${length} bytes`);
  }
});

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

Deno.test("a locality holds for its command alone, a prefix's on the data channel for all", async () => {
  await using simulator = await Simulator.start();
  using command = await simulator.connect();
  using platform = await simulator.connectPlatform();
  await done(platform, PLATFORM.POWER_ON);
  successBody(await command.run(tpm2.startup()));
  const reset = tpm2.pcrReset(20);
  successBody(await command.run(reset, 2));
  assert.equal(codeOf(await command.run(reset, 0)), TPM_RC.LOCALITY);
  successBody(await command.run(reset, 2));
  // A command without a prefix is one, too.
  await command.wire.send(reset);
  assert.equal(codeOf(await command.wire.receive(10)), TPM_RC.LOCALITY);
  using data = await simulator.emulator.connectData();
  await data.wire.send(sendCommand(reset, 2));
  const [size] = await data.wire.receive(4).then((bytes) => bytes.subarray(3));
  successBody((await data.wire.receive(size! + 4)).subarray(0, size));
  successBody(await data.command(reset));
});

Deno.test("physical presence is what PHYS_PRES says", async () => {
  await using simulator = await Simulator.start();
  using command = await simulator.connect();
  using platform = await simulator.connectPlatform();
  await done(platform, PLATFORM.POWER_ON);
  successBody(await command.run(tpm2.startup()));
  const TPM_CC_CLEAR = 0x126;
  const list = commandBytes(TPM2_PP_Commands, {
    auth: TPM_RH.PLATFORM,
    setList: [TPM_CC_CLEAR],
    clearList: [],
  });
  const clear = commandBytes(TPM2_Clear, { authHandle: TPM_RH.PLATFORM });
  assert.equal(codeOf(await command.run(list)), NOBODY_IS_THERE);
  await done(platform, PLATFORM.PHYS_PRES_ON);
  successBody(await command.run(list));
  successBody(await command.run(clear));
  await done(platform, PLATFORM.PHYS_PRES_OFF);
  assert.equal(codeOf(await command.run(clear)), NOBODY_IS_THERE);
});

Deno.test("a key is cancelled by CANCEL_ON, and power waits for its end", async () => {
  await using simulator = await Simulator.start();
  using command = await simulator.connect();
  using platform = await simulator.connectPlatform();
  using other = await simulator.connectPlatform();
  await done(platform, PLATFORM.POWER_ON);
  successBody(await command.run(tpm2.startup()));
  let cancelled = false;
  for (let number = 0; number < 20 && !cancelled; number++) {
    await command.wire.send(sendCommand(tpm2.createPrimaryRsa(3072, number)));
    await pause(30);
    await done(platform, PLATFORM.CANCEL_ON);
    const code = codeOf(await command.response());
    await done(platform, PLATFORM.CANCEL_OFF);
    cancelled = code === TPM_RC.CANCELED;
    if (code === TPM_RC.SUCCESS) successBody(await command.run(tpm2.flushContext(0x80000000)));
  }
  assert.ok(cancelled, "no command was cancelled in 20 attempts");
  // A client that waits for the power keeps the others from nothing.
  await command.wire.send(sendCommand(tpm2.createPrimaryRsa(3072, 0)));
  await pause(30);
  await platform.wire.send(u32(PLATFORM.POWER_OFF));
  await done(other, PLATFORM.NV_ON);
  successBody(await command.response());
  assert.equal(hex(await platform.wire.receive(4)), DONE);
  assert.equal((await command.run(tpm2.getRandom(8))).length, 0);
});

Deno.test("the data channel knows hello and goodbye, and no more of it [simulator-words]", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  {
    using data = await emulator.connectData();
    await data.wire.send(fields(u32(COMMAND.REMOTE_HANDSHAKE), u32(1)));
    assert.equal(hex(await data.wire.receive(12)), "00000001" + "00000054" + DONE);
    await data.wire.send(fields(u32(COMMAND.SET_ALTERNATIVE_RESULT), u32(1), tpm2.getRandom(8)));
    assert.equal(hex(await data.wire.receive(4)), DONE);
    successBody(await data.answer());
  }
  for (const word of [COMMAND.SESSION_END, COMMAND.STOP]) {
    using data = await emulator.connectData();
    await data.wire.send(u32(word));
    assert.equal((await data.wire.receiveUntilClosed()).length, 0);
  }
  // The hash sequence is the control channel's: here it is a command that does not exist.
  using data = await emulator.connectData();
  await data.wire.send(fields(u32(COMMAND.HASH_START), u32(COMMAND.HASH_END), u32(0)));
  assert.notEqual(codeOf(await data.answer()), TPM_RC.SUCCESS);
  assert.equal(await data.wire.receivedLength(), 0);
  successBody(await data.command(tpm2.getRandom(8)));
});
