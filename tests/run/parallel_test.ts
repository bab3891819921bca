// Many at a time: runs beside one another never meet, and the clients of one TPM get their answers
// in turn, whoever dawdles. `swtpm socket` keeps the C program's rule of one client.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Address, DataClient } from "../support/client.ts";
import { Emulator } from "../support/emulator.ts";
import { readAnswer, readGetRandom, tpm2 } from "../support/tpm2.ts";
import { TimeoutError } from "../support/wait.ts";
import { StartedTpm } from "./started_tpm.ts";
import { Runner, said, shell } from "./runner.ts";

const RUNS = 40;
/** As many connections as a TPM of `run` and `start` takes at a time. */
const CLIENTS_MAX = 64;
/** Nothing comes: long enough for an answer on a busy machine, too short to hold up the tests. */
const SILENCE_MS = 200;
/** A large key may take many attempts. */
const LONG_COMMAND_MS = 60_000;

Deno.test(`run: ${RUNS} at a time, each with its own TPM`, async () => {
  await using runner = new Runner();
  const runs = Array.from({ length: RUNS }, async (_, index) => {
    const digest = createHash("sha256").update(`run ${index}`).digest("hex");
    const script = `tpm2_pcrextend 7:sha256=${digest}
      tpm2_pcrread sha256:7
      exit ${index}`;
    const tcp = index % 4 === 0 ? ["--tcp"] : [];
    const outcome = await runner.swtpm(["run", ...tcp, ...shell(script)]);
    assert.equal(outcome.code, index, said(outcome));
    const pcr = createHash("sha256").update(new Uint8Array(32)).update(digest, "hex");
    const value = /0x([0-9A-F]{64})/.exec(outcome.stdout)?.[1]?.toLowerCase();
    assert.equal(value, pcr.digest("hex"), said(outcome));
  });
  await Promise.all(runs);
  await runner.nothingLeft();
});

for (const transport of ["unix", "tcp"] as const) {
  Deno.test(`clients of one TPM are answered in turn over ${transport} [several-clients]`, async () => {
    await using tpm = await StartedTpm.start(transport === "tcp" ? ["--tcp"] : []);
    using first = await DataClient.connect(tpm.address);
    using second = await DataClient.connect(tpm.address);
    using third = await DataClient.connect(tpm.address);
    // The first sends half a command and waits; nobody else is held up.
    const command = tpm2.getRandom(16);
    await first.wire.send(command.subarray(0, 4));
    const numbers = new Set<string>();
    for (let round = 0; round < 50; round++) {
      const answers = await Promise.all([second.command(command), third.command(command)]);
      for (const answer of answers) numbers.add(readGetRandom(answer).join());
    }
    assert.equal(numbers.size, 100);
    await first.wire.send(command.subarray(4));
    assert.equal(readGetRandom(await first.answer()).length, 16);
    // One that goes away in the middle of a command takes nobody with it.
    await first.wire.send(command.subarray(0, 4));
    first.close();
    assert.equal(readAnswer(await second.command(command)).code, 0);
  });
}

Deno.test("a long command of one client keeps the others waiting, and nothing more", async () => {
  await using tpm = await StartedTpm.start();
  using maker = await DataClient.connect(tpm.address);
  using other = await DataClient.connect(tpm.address);
  await maker.wire.send(tpm2.createPrimaryRsa(2048));
  await other.wire.send(tpm2.getRandom(8));
  // A client that sends no more still gets its answer.
  await other.wire.closeWrite();
  assert.equal(readGetRandom(await other.answer(LONG_COMMAND_MS)).length, 8);
  assert.equal(readAnswer(await maker.answer(LONG_COMMAND_MS)).code, 0);
});

Deno.test("a long command that comes together with others is answered like them", async () => {
  await using tpm = await StartedTpm.start();
  using maker = await DataClient.connect(tpm.address);
  using other = await DataClient.connect(tpm.address);
  for (const client of [maker, other]) {
    assert.equal(readAnswer(await client.command(tpm2.getRandom(1))).code, 0);
  }
  // A stopped process finds both commands when it goes on.
  Deno.kill(tpm.description.pid, "SIGSTOP");
  try {
    await maker.wire.send(tpm2.createPrimaryRsa(2048));
    await other.wire.send(tpm2.getRandom(8));
  } finally {
    Deno.kill(tpm.description.pid, "SIGCONT");
  }
  assert.equal(readGetRandom(await other.answer(LONG_COMMAND_MS)).length, 8);
  assert.equal(readAnswer(await maker.answer(LONG_COMMAND_MS)).code, 0);
});

Deno.test("more clients than fit wait until one leaves", async () => {
  await using tpm = await StartedTpm.start();
  using clients = new DisposableStack();
  const connected: DataClient[] = [];
  for (let index = 0; index < CLIENTS_MAX; index++) {
    const client = clients.use(await DataClient.connect(tpm.address));
    assert.equal(readAnswer(await client.command(tpm2.getRandom(1))).code, 0);
    connected.push(client);
  }
  using late = await DataClient.connect(tpm.address);
  await late.wire.send(tpm2.getRandom(2));
  await assert.rejects(late.answer(SILENCE_MS), TimeoutError);
  connected[0]!.close();
  assert.equal(readGetRandom(await late.answer()).length, 2);
});

Deno.test("swtpm socket serves one client after the other [several-clients]", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  const address: Address = emulator.dataAddress;
  using first = await DataClient.connect(address);
  assert.equal(readAnswer(await first.command(tpm2.getRandom(1))).code, 0);
  using second = await DataClient.connect(address);
  await second.wire.send(tpm2.getRandom(2));
  await assert.rejects(second.answer(SILENCE_MS), TimeoutError);
  first.close();
  assert.equal(readGetRandom(await second.answer()).length, 2);
});
