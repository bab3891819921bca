// Sends tens of thousands of right, wrong and broken messages to both channels at once and checks
// that the emulator still serves a good client afterwards, has not grown, and has not flooded its
// log. A failure is repeated with FUZZ_SEED=... (the seed is printed); FUZZ_MESSAGES sets how many.

import assert from "node:assert/strict";
import { fields, hex, repeated, u32 } from "../support/bytes.ts";
import { type Address, Client } from "../support/client.ts";
import { BLOB, CMD, controlMessage } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { converse, onlyGone, type Spoken } from "./manners.ts";
import { controlFuzz, dataFuzz } from "./mutations.ts";
import { Random, seedFrom } from "./random.ts";
import { serveGoodClient } from "./serve_good_client.ts";

/** Messages after which memory is looked at for the first time: caches and pools are filled. */
const WARM_UP = 0.3;
/** What private memory may grow by from there on; garbage that is still to be collected included. */
const GROWTH_KIB = 8 * 1024;
/** A log has lines for connections and refusals, one or two each, and not more. */
const LOG_LINES_PER_MESSAGE = 2;

/** What the clients of one run have done. */
interface Tally extends Spoken {
  connections: number;
}

/** A run's subject and size. */
interface Run {
  readonly name: string;
  readonly tpm2: boolean;
  readonly transport: "unix" | "tcp";
  readonly messages: number;
}

const ALL_MESSAGES = Number(Deno.env.get("FUZZ_MESSAGES") ?? 50_000);

const RUNS: readonly Run[] = [
  { name: "TPM 2 over Unix sockets", tpm2: true, transport: "unix", messages: 0.7 * ALL_MESSAGES },
  { name: "TPM 2 over TCP", tpm2: true, transport: "tcp", messages: 0.2 * ALL_MESSAGES },
  { name: "TPM 1.2", tpm2: false, transport: "unix", messages: 0.1 * ALL_MESSAGES },
];

Deno.test("mutated messages on both channels", async () => {
  // At the same time: they mostly wait for answers that do not come.
  const outcomes = await Promise.allSettled(RUNS.map((run) => fuzz(run)));
  const failures = outcomes.flatMap((outcome, n) =>
    outcome.status === "rejected" ? [`${RUNS[n]?.name}: ${outcome.reason?.stack}`] : []
  );
  assert.equal(failures.length, 0, failures.join("\n"));
});

async function fuzz(run: Run): Promise<void> {
  const seed = seedFrom("FUZZ_SEED");
  console.log(`${run.name}: FUZZ_SEED=${seed}`);
  await using emulator = await Emulator.start({
    tpm2: run.tpm2,
    transport: run.transport,
    flags: ["startup-clear"],
    args: ["--log", "level=1"],
  });
  const first = await flood(emulator, run, run.messages * WARM_UP, seed);
  await serveGoodClient(emulator.tpm2, emulator);
  const before = emulator.memory();
  const second = await flood(emulator, run, run.messages * (1 - WARM_UP), seed + 1);
  await serveGoodClient(emulator.tpm2, emulator);

  const growth = emulator.memory().privateKiB - before.privateKiB;
  const sent = first.messages + second.messages;
  const connections = first.connections + second.connections;
  const lines = emulator.stderr.split("\n").length;
  console.log(
    `${run.name}: ${sent} messages, ${first.answers + second.answers} answered one by one, ` +
      `${connections} connections, ${lines} log lines; private memory ` +
      `${before.privateKiB} KiB, then ${before.privateKiB + growth} KiB`,
  );
  assert.ok(growth <= GROWTH_KIB, `private memory has grown by ${growth} KiB`);
  const most = LOG_LINES_PER_MESSAGE * (sent + connections);
  assert.ok(lines <= most, `${lines} log lines for ${sent} messages`);
  assert.equal((await emulator.stop()).code, 0);
}

Deno.test("bodies that never end", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  await emulator.serving();
  const before = emulator.memory();
  const bodies = [
    fields(u32(CMD.HASH_DATA), u32(0xffffffff)),
    fields(u32(CMD.SET_STATEBLOB), u32(0), u32(BLOB.PERMANENT), u32(0x7fffffff)),
    fields(u32(CMD.SET_STATEBLOB), u32(0), u32(BLOB.PERMANENT), u32(0xffffffff)),
    controlMessage(0x4711),
  ];
  for (const state of [CMD.HASH_START, CMD.STOP]) {
    for (const body of bodies) {
      const note = `command ${hex(body)} after command ${state}`;
      {
        using control = await emulator.connectControl();
        await control.command(state);
        await sendWithoutEnd(control.wire, body);
      }
      using control = await emulator.connectControl();
      assert.equal(hex(await control.command(CMD.GET_CONFIG)), "0000000000000000", note);
    }
  }
  using data = await emulator.connectData();
  await sendWithoutEnd(data.wire, repeated(0x80, 10));
  data.close();
  const grown = emulator.memory().privateKiB - before.privateKiB;
  assert.ok(grown <= GROWTH_KIB, `private memory has grown by ${grown} KiB`);
  await serveGoodClient(emulator.tpm2, emulator);
});

/** Sends a message and much more than it may be long, while answers are read and dropped. */
async function sendWithoutEnd(client: Client, message: Uint8Array): Promise<void> {
  const MUCH = 4 * 1024 * 1024;
  const piece = repeated(0, 64 * 1024);
  const sending = (async () => {
    await client.send(message);
    for (let sent = 0; sent < MUCH; sent += piece.length) await client.send(piece);
  })().catch(onlyGone);
  await Promise.all([sending, client.receiveUntilQuiet(100, 1000)]);
}

/** Floods both channels at the same time, with the data channel getting as much as the other. */
async function flood(emulator: Emulator, run: Run, messages: number, seed: number) {
  const { controlAddress, dataAddress } = emulator;
  const control = new Random(seed);
  const data = new Random(seed ^ 0x5bd1e995);
  const half = messages / 2;
  const [one, other] = await Promise.all([
    floodChannel(emulator, controlAddress, control, half, () => controlFuzz(control, run.tpm2)),
    floodChannel(emulator, dataAddress, data, half, () => dataFuzz(data, run.tpm2)),
  ]);
  return {
    messages: one.messages + other.messages,
    connections: one.connections + other.connections,
    answers: one.answers + other.answers,
  };
}

async function floodChannel(
  emulator: Emulator,
  address: Address,
  random: Random,
  messages: number,
  next: () => Uint8Array,
): Promise<Tally> {
  const tally: Tally = { messages: 0, connections: 0, answers: 0 };
  while (tally.messages < messages) {
    assert.ok(emulator.process.running, `the emulator has ended: "${emulator.stderr.slice(-500)}"`);
    tally.connections++;
    const count = random.between(1, 200);
    using client = await Client.connect(address);
    // A second client comes now and then while the first is served, and leaves before its turn.
    using second = random.oneIn(4) ? await Client.connect(address) : undefined;
    await converse(client, random, count, tally, next);
    await second?.send(next()).catch(onlyGone);
  }
  return tally;
}
