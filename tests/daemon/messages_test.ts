// Messages for the person who reads them: what is missing is said once, with what to do about it.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { freePort } from "../support/ports.ts";
import { run, TestProcess } from "../support/process.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { tpm12 } from "../support/tpm12.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

Deno.test("a command before INIT: told once, with both ways to mend it", async () => {
  await using emulator = await Emulator.start();
  using data = await emulator.connectData();
  for (let index = 0; index < 3; index++) await data.command(tpm2.getRandom(8));
  await waitUntil("the message", () => emulator.stderr.includes("is off"));
  const { stderr } = await emulator.stop();
  assert.equal(count(stderr, "is off"), 1, stderr);
  assert.match(stderr, /INIT on the control channel.*--flags not-need-init,startup-clear/);
});

Deno.test("QEMU's question for the version before INIT is no reason for a message", async () => {
  await using emulator = await Emulator.start();
  using data = await emulator.connectData();
  assert.equal(readAnswer(await data.command(tpm2.readClock())).code, 0x101);
  const { stderr } = await emulator.stop();
  assert.doesNotMatch(stderr, /is off/);
});

Deno.test("a command before Startup: told once", async () => {
  await using emulator = await Emulator.start();
  using control = await emulator.connectControl();
  await control.command(CMD.INIT, payload.init());
  using data = await emulator.connectData();
  for (let index = 0; index < 3; index++) {
    assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0x100);
  }
  const { stderr } = await emulator.stop();
  assert.equal(count(stderr, "before it got Startup"), 1, stderr);
});

for (const isTpm2 of [true, false]) {
  const name = isTpm2 ? "TPM 2" : "TPM 1.2";
  Deno.test(`a Startup to a ${name} that was started by a flag is no reason for a message`, async () => {
    await using emulator = await Emulator.start({ tpm2: isTpm2, flags: ["startup-clear"] });
    using data = await emulator.connectData();
    const startup = isTpm2 ? tpm2.startup(0) : tpm12.startup();
    assert.equal(readAnswer(await data.command(startup)).code, isTpm2 ? 0x100 : 0x26);
    const { stderr } = await emulator.stop();
    assert.doesNotMatch(stderr, /--flags|Startup/);
  });
}

for (const isTpm2 of [true, false]) {
  const name = isTpm2 ? "TPM 2" : "TPM 1.2";
  Deno.test(`a command to a ${name} on the control channel: told where it belongs`, async () => {
    await using emulator = await Emulator.start({ tpm2: isTpm2, flags: ["startup-clear"] });
    using control = await emulator.connectControl();
    await control.wire.send(isTpm2 ? tpm2.getRandom(8) : tpm12.getRandom(8));
    assert.equal(hex(await control.wire.receive(4)), "0000000a");
    const { stderr } = await emulator.stop();
    assert.match(stderr, /Unknown control command .*TPM commands .* go to the data channel/);
  });
}

const CLIENTS = 3;

/** What an emulator says of data clients that come, are answered, and go. */
async function saidOfClients(transport: "unix" | "tcp", program: Program): Promise<number> {
  await using emulator = await Emulator.start({ program, transport, flags: ["startup-clear"] });
  for (let client = 0; client < CLIENTS; client++) {
    using data = await emulator.connectData();
    await data.command(tpm2.getRandom(8));
  }
  // It comes when those before are gone: one is served at a time.
  using last = await emulator.connectData();
  await last.command(tpm2.getRandom(8));
  const { stderr } = await emulator.stop();
  return count(stderr, "client disconnected");
}

Deno.test("over unix a data client that goes is told of, as to the C program", async () => {
  assert.equal(await saidOfClients("unix", programUnderTest()), CLIENTS);
  // The C program overlooks most of those that close behind an answer.
  const c = await peerProgram("0.10");
  const ATTEMPTS = 20;
  for (let n = 0; n < ATTEMPTS; n++) if (await saidOfClients("unix", c) > 0) return;
  assert.fail(`in ${ATTEMPTS} lives the C program told of no client`);
});

Deno.test("over tcp a data client that goes is no news, as to the C program", async () => {
  assert.equal(await saidOfClients("tcp", programUnderTest()), 0);
  assert.equal(await saidOfClients("tcp", await peerProgram("0.10")), 0);
});

Deno.test("a TPM that nobody can start is told of at once", async () => {
  await using folder = new TempDir();
  await using process = new TestProcess(programUnderTest(), [
    ...["socket", "--tpm2", "--server", "type=tcp,port=0", "--tpmstate", `dir=${folder.path}`],
  ]);
  await waitUntil("the message", () => process.stderr.includes("it will refuse every command"));
  assert.match(process.stderr, /no control channel/);
});

Deno.test("a failed start says why", async () => {
  await using folder = new TempDir();
  Deno.writeTextFileSync(folder.join("tpm2-00.permall"), "this is no state");
  const { code, stderr } = await run(programUnderTest(), [
    ...["socket", "--tpm2", "--flags", "not-need-init", "--tpmstate", `dir=${folder.path}`],
    ...["--server", "type=tcp,port=0"],
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /permall/, "the state that is wrong is named");
  assert.match(stderr, /Could not initialize the TPM 2/);
});

Deno.test("a wrong option suggests the nearest right one [suggestions]", async () => {
  const option = await run(programUnderTest(), ["socket", "--tmpstate", "dir=x"]);
  assert.equal(option.code, 1);
  assert.match(option.stderr, /'--tmpstate' \(did you mean '--tpmstate'\?\)/);
  const parameter = await run(programUnderTest(), ["socket", "--ctrl", "tpye=unixio"]);
  assert.equal(parameter.code, 1);
  assert.match(parameter.stderr, /'tpye=unixio' \(did you mean 'type'\?\)/);
  const name = await run(programUnderTest(), ["sockt", "--tpm2"]);
  assert.equal(name.code, 1);
  // Scripts look for the first words.
  assert.match(name.stderr, /^Unsupported TPM interface type 'sockt' \(did you mean 'socket'\?\)/);
});

Deno.test("a log that cannot be opened is named", async () => {
  const { code, stderr } = await run(programUnderTest(), [
    ...["socket", "--tpm2", "--log", "file=/no/such/log"],
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /^swtpm: Could not open the log: open '\/no\/such\/log': No such file/);
});

Deno.test("an address in use names the port, and what it was for", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const { code, stderr } = await run(programUnderTest(), [
    ...["socket", "--tpm2", "--ctrl", `type=tcp,port=${port}`, "-p", String(freePort())],
  ]);
  assert.equal(code, 1);
  assert.ok(stderr.includes(`control channel at port ${port} of 127.0.0.1`), stderr);
});

Deno.test("libtpms' own lines are in our log from level 5 on, behind its prefix", async () => {
  await using folder = new TempDir();
  const log = folder.join("log");
  await using emulator = await Emulator.start({
    tpm2: false,
    flags: ["startup-clear"],
    args: ["--log", `file=${log},level=20,prefix=mine:`],
  });
  await emulator.serving();
  assert.equal((await emulator.stop()).code, 0);
  const lines = Deno.readTextFileSync(log).split("\n").filter((line) => line !== "");
  assert.ok(lines.some((line) => /^mine: {4,}\S/.test(line)), lines.join("\n"));
});

Deno.test("a descriptor that nobody passed is not one of the runtime's", async () => {
  for (const words of [["--fd", "5"], ["--ctrl", "type=unixio,fd=6"], ["--log", "fd=4"]]) {
    const { code, stderr } = await run(programUnderTest(), ["socket", "--tpm2", ...words]);
    assert.equal(code, 1, words.join(" "));
    assert.match(stderr, /is not open/, words.join(" "));
  }
});
