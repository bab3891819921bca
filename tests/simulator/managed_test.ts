// A recorded conversation with both ports of the managed address (`--rm`): each code that there is, and
// that none takes the TPM from the others.
import assert from "node:assert/strict";
import { commandBytes } from "../../tcg/tpm2/command_bytes.ts";
import { TPM2_PP_Commands } from "../../tcg/tpm2/commands/management.ts";
import { TPM2_ReadPublic } from "../../tcg/tpm2/commands/objects.ts";
import { TPM_RH } from "../../tcg/tpm2/constants.ts";
import { TPM_RC } from "../../tcg/tpm2/results.ts";
import { fields, hex, repeated, u32 } from "../support/bytes.ts";
import { CMD } from "../support/control.ts";
import { run, TestProcess } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { readAnswer, readGetRandom, readPcrRead, successBody, tpm2 } from "../support/tpm2.ts";
import { TempDir } from "../support/temp_dir.ts";
import { pause, waitUntil } from "../support/wait.ts";
import { COMMAND, DONE, hashData, PLATFORM, Port, sendCommand, Simulator } from "./server.ts";

/** Attempts to cancel a key, each at another moment of its making. */
const ATTEMPTS = 20;
const DRTM_PCR = 17;
/** TPM_RC_REFERENCE_H0: nothing is loaded under the first handle. */
const NOT_THERE = 0x910;

const readKey = commandBytes(TPM2_ReadPublic, { objectHandle: 0x80000000 });
const codeOf = (response: Uint8Array) => readAnswer(response).code;

function start(transport: "unix" | "tcp" = "unix", flags = ["startup-clear"]): Promise<Simulator> {
  return Simulator.start(transport, { flags }, "--rm");
}

async function done(port: Port, word: number): Promise<void> {
  assert.equal(hex(await port.ask(word)), DONE, `word ${word}`);
}

for (const transport of ["unix", "tcp"] as const) {
  Deno.test(`every code of the managed ports over ${transport} [managed-power]`, async () => {
    await using simulator = await start(transport);
    using other = await simulator.connect();
    using command = await simulator.connect();
    using platform = await simulator.connectPlatform();
    const key = successBody(await other.run(tpm2.createPrimaryEcc())).subarray(0, 4);
    assert.equal(hex(key), "80000000");
    const unharmed = async (what: string) => {
      const read = await other.run(readKey);
      assert.equal(codeOf(read), TPM_RC.SUCCESS, `${what} has taken another client's key`);
    };

    const hello = await command.ask(COMMAND.REMOTE_HANDSHAKE, 12, u32(1));
    assert.equal(hex(hello), "00000001" + "0000004b" + DONE);
    assert.equal(hex(await command.ask(COMMAND.SET_ALTERNATIVE_RESULT, 4, u32(5))), DONE);
    assert.equal(readGetRandom(await command.run(tpm2.getRandom(8))).length, 8);
    // A command that has nothing before it is answered, too.
    await command.wire.send(tpm2.getRandom(8));
    assert.equal(readGetRandom(await command.wire.receive(20)).length, 8);

    for (
      const name of [
        // What go-tpm sends whenever it connects comes first.
        ...["POWER_OFF", "POWER_ON", "NV_ON", "RESET", "RESTART", "NV_OFF"] as const,
        ...["PHYS_PRES_ON", "PHYS_PRES_OFF", "CANCEL_ON", "CANCEL_OFF"] as const,
        ...["KEY_CACHE_ON", "KEY_CACHE_OFF"] as const,
      ]
    ) {
      await done(platform, PLATFORM[name]);
      await unharmed(name);
    }
    const sizes = await platform.ask(PLATFORM.GET_COMMAND_RESPONSE_SIZES, 24);
    assert.equal(hex(sizes), "00000010" + "00".repeat(16) + DONE);
    const signaled = await platform.ask(PLATFORM.ACT_GET_SIGNALED, 8, u32(0x40000110));
    assert.equal(hex(signaled), "00000000" + DONE);

    // The D-RTM's measurements are everybody's.
    const before = hex(readPcrRead(await other.run(tpm2.pcrRead(DRTM_PCR))));
    for (const data of [new Uint8Array(), repeated(1, 30), repeated(2, 100_000)]) {
      await command.wire.send(
        fields(u32(COMMAND.HASH_START), hashData(data), u32(COMMAND.HASH_END)),
      );
      assert.equal(hex(await command.wire.receive(12)), DONE.repeat(3));
    }
    assert.equal(hex(readPcrRead(await other.run(tpm2.pcrRead(DRTM_PCR)))), before);

    // Goodbye, and STOP is no more than that.
    for (const word of [COMMAND.SESSION_END, COMMAND.STOP]) {
      using leaving = await simulator.connect();
      using powers = await simulator.connectPlatform();
      for (const port of [leaving, powers]) {
        await port.wire.send(u32(word));
        assert.equal((await port.wire.receiveUntilClosed()).length, 0);
      }
      await unharmed(`word ${word}`);
    }
    using failing = await simulator.connectPlatform();
    assert.equal(hex(await failing.ask(PLATFORM.TEST_FAILURE_MODE)), "00000001");
    assert.equal((await failing.wire.receiveUntilClosed()).length, 0);
    await unharmed("TEST_FAILURE_MODE");
  });
}

Deno.test("a TPM that is off is turned on by the control channel alone [managed-power]", async () => {
  await using simulator = await start("unix", []);
  using command = await simulator.connect();
  using platform = await simulator.connectPlatform();
  using control = await simulator.emulator.connectControl();
  await done(platform, PLATFORM.POWER_ON);
  assert.equal((await command.run(tpm2.getRandom(8))).length, 0);
  await control.command(CMD.INIT, u32(0));
  assert.equal(codeOf(await command.run(tpm2.getRandom(8))), TPM_RC.INITIALIZE);
  successBody(await command.run(tpm2.startup()));
  await control.command(CMD.STOP);
  await done(platform, PLATFORM.POWER_ON);
  assert.equal((await command.run(tpm2.getRandom(8))).length, 0);
});

Deno.test("presence and localities are a managed client's, too", async () => {
  await using simulator = await start();
  using command = await simulator.connect();
  using platform = await simulator.connectPlatform();
  const list = commandBytes(TPM2_PP_Commands, {
    auth: TPM_RH.PLATFORM,
    setList: [0x126],
    clearList: [],
  });
  assert.equal(codeOf(await command.run(list)), TPM_RC.PP + 0x900);
  await done(platform, PLATFORM.PHYS_PRES_ON);
  successBody(await command.run(list));
  await done(platform, PLATFORM.PHYS_PRES_OFF);
  assert.equal(codeOf(await command.run(list)), TPM_RC.PP + 0x900);
  successBody(await command.run(tpm2.pcrReset(20), 2));
  assert.equal(codeOf(await command.run(tpm2.pcrReset(20), 0)), TPM_RC.LOCALITY);
});

/** Cancels whatever runs, over and over, from a process of its own, as long as it lives. */
const CANCELLER = `
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
told = False
while True:
    s.sendall(bytes([0, 0, 0, 9]))
    assert s.recv(4) == bytes(4)
    if not told: print("answered", flush=True)
    told = True
`;

/** How many of so many keys were made, while another process cancels. */
async function keysBesideCanceller(simulator: Simulator, count: number): Promise<number> {
  using command = await simulator.connect();
  assert.ok(simulator.platform.transport === "unix");
  const python = plainProgram("python3", "python3");
  await using canceller = new TestProcess(python, ["-c", CANCELLER, simulator.platform.path]);
  await waitUntil("the other client", () => canceller.stdout.includes("answered"));
  let made = 0;
  for (let number = 0; number < count; number++) {
    const code = codeOf(await command.run(tpm2.createPrimaryRsa(3072, number)));
    if (code !== TPM_RC.SUCCESS) assert.equal(code, TPM_RC.CANCELED);
    else made++;
    if (code === TPM_RC.SUCCESS) successBody(await command.run(tpm2.flushContext(0x80000000)));
  }
  assert.ok(canceller.running, canceller.stderr);
  return made;
}

Deno.test("CANCEL_ON is for the commands of a client's own process [managed-power]", async () => {
  await using simulator = await start();
  using command = await simulator.connect();
  using platform = await simulator.connectPlatform();
  let cancelled = false;
  for (let number = 0; number < ATTEMPTS && !cancelled; number++) {
    await command.wire.send(sendCommand(tpm2.createPrimaryRsa(3072, number)));
    await pause(30);
    await done(platform, PLATFORM.CANCEL_ON);
    const code = codeOf(await command.response());
    cancelled = code === TPM_RC.CANCELED;
    if (code === TPM_RC.SUCCESS) successBody(await command.run(tpm2.flushContext(0x80000000)));
  }
  assert.ok(cancelled, `no command was cancelled in ${ATTEMPTS} attempts`);
  assert.equal(await keysBesideCanceller(simulator, 3), 3);
  // Who owns the TPM cancels what anybody asked for.
  await using owned = await Simulator.start("unix", { flags: ["startup-clear"] });
  assert.ok(await keysBesideCanceller(owned, 3) < 3, "the other process cancels nothing");
});

Deno.test("over TCP nobody knows whose command it is, and nobody cancels [managed-power]", async () => {
  await using simulator = await start("tcp");
  using command = await simulator.connect();
  using platform = await simulator.connectPlatform();
  for (let number = 0; number < 3; number++) {
    await command.wire.send(sendCommand(tpm2.createPrimaryRsa(2048, number)));
    await pause(20);
    await done(platform, PLATFORM.CANCEL_ON);
    successBody(await command.response());
    successBody(await command.run(tpm2.flushContext(0x80000000)));
  }
});

Deno.test("the managed address is not for a TPM 1.2, nor for other interfaces [managed-address]", async () => {
  const refused: [string[], RegExp][] = [
    [["socket", "--rm", "type=tcp,port=1"], /managed address is for a TPM 2; use --tpm2/],
    [["chardev", "--rm", "type=tcp,port=1"], /'--rm' \(it is one of 'swtpm socket'\)/],
    [["cuse", "--rm", "type=tcp,port=1"], /'--rm' \(it is one of 'swtpm socket'\)/],
    [["cuse", "--mssim=type=tcp,port=1"], /\(it is one of 'swtpm socket'\)/],
  ];
  for (const [words, message] of refused) {
    const { code, stderr } = await run(programUnderTest(), words);
    assert.notEqual(code, 0, words.join(" "));
    assert.match(stderr, message);
  }
});

Deno.test("owners at --mssim have the power, clients at --rm lose it with them [managed-power]", async () => {
  await using folder = new TempDir();
  const rm = folder.join("rm");
  const args = ["--rm", `type=unixio,path=${rm}`];
  await using simulator = await Simulator.start("unix", { flags: ["startup-clear"], args });
  using owner = await simulator.connect();
  using power = await simulator.connectPlatform();
  using client = await Port.connect({ transport: "unix", path: rm });
  using platform = await Port.connect({ transport: "unix", path: `${rm}.ctrl` });
  // Each has a place of its own for its first key.
  for (const port of [client, owner]) {
    const key = successBody(await port.run(tpm2.createPrimaryEcc())).subarray(0, 4);
    assert.equal(hex(key), "80000000");
  }
  await done(power, PLATFORM.POWER_OFF);
  await done(platform, PLATFORM.POWER_ON);
  assert.equal((await client.run(tpm2.getRandom(8))).length, 0);
  await done(power, PLATFORM.POWER_ON);
  successBody(await client.run(tpm2.startup()));
  assert.equal(codeOf(await client.run(readKey)), NOT_THERE);
  const key = successBody(await client.run(tpm2.createPrimaryEcc())).subarray(0, 4);
  assert.equal(hex(key), "80000000");
});

Deno.test("each address needs its own path, and --ru stands for --runas [managed-address]", async () => {
  await using folder = new TempDir();
  const path = folder.join("here");
  const state = ["socket", "--tpm2", "--tpmstate", "backend-uri=memory://"];
  const taken = [
    ["--mssim", `type=unixio,path=${path}`, "--rm", `type=unixio,path=${path}`],
    ["--server", `type=unixio,path=${path}.ctrl`, "--rm", `type=unixio,path=${path}`],
  ];
  for (const words of taken) {
    const { code, stderr } = await run(programUnderTest(), [...state, ...words]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /--rm names '.*here(\.ctrl)?', which is the .*; each needs its own/);
  }
  const user = await run(programUnderTest(), [...state, "--ru", "no-such-user"]);
  assert.match(user.stderr, /no-such-user/);
  const both = await run(programUnderTest(), [...state, "--r", "no-such-user"]);
  assert.match(both.stderr, /'--r' is ambiguous; possibilities:.*'--rm'/);
});
