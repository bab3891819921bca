// Thirty clients in parallel at the managed address, some of which are stopped or killed: all answers are
// right, and afterwards the TPM holds nothing. CROWD_SECONDS has it go on for longer.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Simulator } from "../simulator/server.ts";
import { TestProcess } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";
import { CrowdClient } from "./crowd_client.ts";

const SECONDS = Number(Deno.env.get("CROWD_SECONDS") ?? 4);
const CLIENTS = 30;
/** Clients in each of the processes that are stopped or killed, beside those. */
const DOOMED = 3;
const SEED = 17;

Deno.test("thirty clients, with others among them that are stopped or killed", async () => {
  await using simulator = await Simulator.start("unix", {
    ...{ flags: ["startup-clear"], args: ["--log", "level=2"] },
  }, "--rm");
  const { command, emulator } = simulator;
  assert.ok(command.transport === "unix");
  const program = plainProgram("a client", Deno.execPath());
  const file = fileURLToPath(new URL("crowd_client.ts", import.meta.url));
  await using processes = new AsyncDisposableStack();
  const start = (seed: number) => {
    const words = ["run", "-A", "--no-check", file, command.path, `${seed}`, `${DOOMED}`];
    return processes.use(new TestProcess(program, words));
  };
  const [stopped, killed, last] = [start(100), start(200), start(300)];

  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, (_, number) => CrowdClient.connect(command, SEED + number)),
  );
  const end = performance.now() + SECONDS * 1000;
  const goOn = async (client: CrowdClient) => {
    do await client.round(); while (performance.now() < end);
    client.close();
  };
  const crowd = Promise.all(clients.map(goOn));
  const disturb = async () => {
    for (const process of [stopped, killed, last]) {
      await waitUntil("a client at work", () => process.stdout.includes("at work"), 60_000);
    }
    Deno.kill(stopped.pid, "SIGSTOP");
    Deno.kill(killed.pid, "SIGKILL");
    await killed.exit;
  };
  await Promise.all([crowd, disturb()]);
  for (const process of [stopped, last]) {
    Deno.kill(process.pid, "SIGKILL");
    await process.exit;
  }

  using data = await emulator.connectData();
  const count = async (first: number) => {
    const { body } = readAnswer(await data.command(tpm2.getCapability(1, first, 64)));
    return body[8]!;
  };
  for (const first of [0x80000000, 0x02000000, 0x03000000]) {
    // The last of them are noticed when the loop comes to them.
    await waitUntil(`handles from ${first.toString(16)} on`, async () => await count(first) === 0);
  }
  const rounds = clients.map((client) => client.rounds);
  assert.ok(rounds.every((done) => done > 0), `${rounds}`);
  assert.equal((await emulator.stop()).code, 0);
  const counts = /Resource manager: .*/.exec(emulator.stderr)?.[0] ?? "";
  console.log(`${rounds.reduce((sum, done) => sum + done)} rounds in ${SECONDS} s. ${counts}`);
  assert.match(counts, /objects saved \d+ times, loaded [1-9]\d+/);
});
