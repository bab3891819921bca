// Sends tens of thousands of right, wrong and broken messages to both channels at once and checks
// that the emulator still serves a good client afterwards, has not grown, and has not flooded its
// log. A failure is repeated with FUZZ_SEED=... (the seed is printed); FUZZ_MESSAGES sets how many.

import assert from "node:assert/strict";
import { fields, hex, repeated, u32 } from "../support/bytes.ts";
import { type Address, Client } from "../support/client.ts";
import { BLOB, CMD, controlMessage, payload, RESULT } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { firmwareStart, tpm12 } from "../support/tpm12.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";
import { controlFuzz, dataFuzz } from "./mutations.ts";
import { Random, seedFrom } from "./random.ts";

/** Messages after which memory is looked at for the first time: caches and pools are filled. */
const WARM_UP = 0.3;
/** What private memory may grow by from there on; garbage that is still to be collected included. */
const GROWTH_KIB = 8 * 1024;
/** A log has lines for connections and refusals, one or two each, and not more. */
const LOG_LINES_PER_MESSAGE = 2;
/** How long an answer to one message may take before the client goes on. */
const ANSWER_MS = 15;
/** Messages without an answer after which a client leaves. */
const SILENCES = 4;

/** What a client of one run has done. */
interface Tally {
  messages: number;
  connections: number;
  answers: number;
}

/** A run's subject and size. */
interface Run {
  readonly name: string;
  readonly tpm2: boolean;
  readonly transport: "unix" | "tcp";
  readonly messages: number;
}

const ALL_MESSAGES = Number(Deno.env.get("FUZZ_MESSAGES") ?? 100_000);

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
  await serveGoodClient(emulator);
  const before = emulator.memory();
  const second = await flood(emulator, run, run.messages * (1 - WARM_UP), seed + 1);
  await serveGoodClient(emulator);

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
  await serveGoodClient(emulator);
});

/** Sends a message and much more than it may be long, while answers are read and dropped. */
async function sendWithoutEnd(client: Client, message: Uint8Array): Promise<void> {
  const MUCH = 4 * 1024 * 1024;
  const piece = repeated(0, 64 * 1024);
  const sending = (async () => {
    await client.send(message);
    for (let sent = 0; sent < MUCH; sent += piece.length) await client.send(piece);
  })().catch(brokenPipe);
  await Promise.all([sending, client.receiveUntilQuiet(100, 1000)]);
}

/** Floods both channels at the same time, with the data channel getting as much as the other. */
async function flood(emulator: Emulator, run: Run, messages: number, seed: number) {
  const tally: Tally = { messages: 0, connections: 0, answers: 0 };
  const control = new Random(seed);
  const data = new Random(seed ^ 0x5bd1e995);
  await Promise.all([
    floodChannel(
      emulator,
      emulator.controlAddress,
      control,
      messages / 2,
      tally,
      () => controlFuzz(control, run.tpm2),
    ),
    floodChannel(
      emulator,
      emulator.dataAddress,
      data,
      messages / 2,
      tally,
      () => dataFuzz(data, run.tpm2),
    ),
  ]);
  return tally;
}

async function floodChannel(
  emulator: Emulator,
  address: Address,
  random: Random,
  messages: number,
  tally: Tally,
  next: () => Uint8Array,
): Promise<void> {
  for (let sent = 0; sent < messages;) {
    assert.ok(emulator.process.running, `the emulator has ended: "${emulator.stderr.slice(-500)}"`);
    tally.connections++;
    const count = random.between(1, 200);
    await connection(address, random, count, tally, next);
    sent += count;
  }
}

/** One connection: some messages in one of several manners, then one of several ends. */
async function connection(
  address: Address,
  random: Random,
  count: number,
  tally: Tally,
  next: () => Uint8Array,
): Promise<void> {
  using client = await Client.connect(address);
  // A second client comes now and then while the first is served, and leaves before its turn.
  using second = random.oneIn(4) ? await Client.connect(address) : undefined;
  tally.messages += count;
  try {
    switch (random.below(6)) {
      case 0: { // without waiting for any answer, reading along
        const sending = (async () => {
          for (let n = 0; n < count; n++) await client.send(next());
        })();
        await Promise.all([sending.catch(brokenPipe), client.receiveUntilQuiet(5, 3 * ANSWER_MS)]);
        break;
      }
      case 1: // without reading at all
        for (let n = 0; n < Math.min(count, 50); n++) await client.send(next());
        break;
      case 2: // split anywhere
        for (let n = 0; n < count; n++) {
          const message = next();
          const at = random.below(message.length + 1);
          await client.send(message.subarray(0, at));
          await client.send(message.subarray(at));
          if (random.oneIn(8)) await client.receiveUntilQuiet(0, 1);
        }
        break;
      default: // one after the other; what seems cut short may be completed by the next
        for (let n = 0, silences = 0; n < count && silences < SILENCES; n++) {
          await client.send(next());
          const { bytes, closed } = await client.receiveUntilQuiet(0, ANSWER_MS);
          if (bytes.length > 0) tally.answers++;
          else silences++;
          if (closed) break;
        }
    }
    if (second !== undefined) await second.send(next());
    if (random.oneIn(3)) await client.closeWrite();
    if (random.oneIn(3)) await client.receiveUntilQuiet(1, 5);
  } catch (error) {
    brokenPipe(error);
  }
}

/** The emulator may hang up on nonsense while more of it is being sent. */
function brokenPipe(error: unknown): void {
  const gone = [
    Deno.errors.BrokenPipe,
    Deno.errors.ConnectionReset,
    Deno.errors.NotConnected,
  ];
  if (!gone.some((kind) => error instanceof kind)) throw error;
}

/** A client that does everything right is served from the start, whatever came before it. */
async function serveGoodClient(emulator: Emulator): Promise<void> {
  using control = await emulator.connectControl();
  const result = async (name: keyof typeof CMD, bytes?: Uint8Array) =>
    (await control.command(CMD[name], bytes)).subarray(0, 4);
  const ok = u32(RESULT.SUCCESS);
  assert.deepEqual(await result("STOP"), ok);
  // A blob that was set last would be taken for the state.
  for (const type of [BLOB.PERMANENT, BLOB.VOLATILE]) {
    await result("SET_STATEBLOB", payload.setStateBlob(type, repeated(0xff, 30)));
  }
  assert.deepEqual(await result("SET_LOCALITY", payload.setLocality(0)), ok);
  assert.deepEqual(await result("INIT", payload.init(1)), ok);
  // What was resumed with the volatile state is left behind.
  assert.deepEqual(await result("INIT", payload.init(1)), ok);
  using data = await emulator.connectData();
  const start = emulator.tpm2 ? [tpm2.startup()] : firmwareStart();
  for (const bytes of start) assert.equal(readAnswer(await data.command(bytes)).code, 0);
  const random = emulator.tpm2 ? tpm2.getRandom(16) : tpm12.getRandom(16);
  assert.equal(readAnswer(await data.command(random)).code, 0);
  await waitUntil("the emulator to be alive", () => emulator.process.running);
}
