// One life of a server: rude clients come in batches while the good one asks, descriptors run out
// now and then, and in the end it is told to end or killed. The next chapter has the same state.

import assert from "node:assert/strict";
import { TPM_CAP } from "../../../tcg/tpm2/constants.ts";
import type { Descriptors } from "../../support/fd_passing.ts";
import { CMD, controlMessage, payload } from "../../support/control.ts";
import { memoryOf } from "../../support/memory.ts";
import { readNvReadValue, tpm12 } from "../../support/tpm12.ts";
import { counterBytes, readAnswer, readCounter, readNvRead } from "../../support/tpm2.ts";
import { tpm2, withLocality } from "../../support/tpm2.ts";
import { LATE, orLate, waitUntil, within } from "../../support/wait.ts";
import { controlFuzz, dataFuzz } from "../mutations.ts";
import { Random } from "../random.ts";
import { serveGoodClient } from "../serve_good_client.ts";
import type { Arena, Server } from "./arenas.ts";
import type { Door } from "./door.ts";
import { descriptorsOf, Famine } from "./famine.ts";
import { type Ledger, LEDGER_INDEX } from "./good_client.ts";
import { live, type Tally, type Visit } from "./lives.ts";
import type { Watcher } from "./watcher.ts";

/** What all chapters of one arena share. */
export interface Story extends Tally {
  readonly arena: Arena;
  readonly descriptors: Descriptors;
  readonly odd: readonly number[];
  readonly watcher: Watcher;
  readonly stateDir: string;
  readonly seed: number;
  /** `performance.now()` when the run must be over. */
  readonly deadline: number;
  /** One batch in so many passes without descriptors. */
  readonly famineEvery: number;
  /** Batches so far: the same seed always brings the same ones. */
  batches: number;
  /** Occasions so far: each has random numbers of its own. */
  visits: number;
  ledger: Ledger | undefined;
  good: { answers: number; writes: number; slowestMs: number };
  kills: number;
  orderlyEnds: number;
  famines: number;
  memoryKiB: { before: number; after: number };
}

/** What a chapter is to bring. */
export interface Quota {
  readonly messages: number;
  readonly lives: number;
  readonly end: "SIGTERM" | "SIGKILL";
}

/** Part after which memory is looked at for the first time: caches and pools are filled. */
const WARM_UP = 0.3;
/** What private memory may grow by from there on; garbage that is still to be collected included. */
const GROWTH_KIB = 8 * 1024;
/** A log has lines for connections and refusals, one or two each, and not more. */
const LOG_LINES_EACH = 2;
/** Lives between two looks at the server. */
const BATCH = 300;
/** They take seconds. */
const BATCH_MS = 240_000;
/** Rude clients side by side, at most. */
const LANES = 10;
/** Descriptors that a famine leaves, at most. */
const SPARE_MAX = 3;
const LEDGER_SIZE = 8;

export async function chapter(story: Story, quota: Quota): Promise<void> {
  const { arena, watcher } = story;
  await using server = await arena.start(story.stateDir);
  try {
    await serveGoodClient(arena.tpm2, server);
    await readLedger(story, server);
    const open = descriptorsOf(server.process.pid);
    const from = { messages: story.messages, lives: story.lives };
    const done = () =>
      Math.min(
        (story.messages - from.messages) / quota.messages,
        (story.lives - from.lives) / quota.lives,
      );
    let before: number | undefined;
    for (let part = 0; part < 1; part = done()) {
      await batch(story, server);
      await settle(arena, server, open);
      await serveGoodClient(arena.tpm2, server);
      if (part >= WARM_UP) before ??= memoryOf(server.process.pid).privateKiB;
    }
    const after = memoryOf(server.process.pid).privateKiB;
    if (before !== undefined) {
      if (after - before >= story.memoryKiB.after - story.memoryKiB.before) {
        story.memoryKiB = { before, after };
      }
      assert.ok(after - before <= GROWTH_KIB, `private memory: ${before} KiB, then ${after} KiB`);
    }
    const lines = server.process.stderr.split("\n").length;
    const most = LOG_LINES_EACH *
      (story.messages - from.messages + story.lives - from.lives + story.good.answers);
    assert.ok(lines <= most, `${lines} log lines, at most ${most} were expected`);

    await watcher.begin(watch(story, server, "data", true));
    if (quota.end === "SIGKILL") {
      server.process.kill("SIGKILL");
      await note(story, true);
      story.kills++;
    } else {
      await note(story, false);
      server.process.kill("SIGTERM");
      const { code } = await server.process.ended();
      assert.equal(code, arena.endCode, "exit code after SIGTERM");
      story.orderlyEnds++;
    }
  } catch (error) {
    const { process } = server;
    // The end may have come before it is known.
    const ended = process.running ? await orLate(process.exit, 500) : await process.exit;
    const state = ended === LATE ? "it runs" : `it has ended, ${ended.signal ?? ended.code}`;
    const said = `${state}: "${process.stderr.slice(-600)}"`;
    throw new Error(`${(error as Error).message}\n${said}`, { cause: error });
  }
}

/** Waits until all who came are through, also those who only waited: the next asks a quiet TPM. */
async function settle(arena: Arena, server: Server, before: readonly string[]): Promise<void> {
  {
    using control = await server.connectControl();
    await control.command(CMD.GET_CONFIG);
  }
  {
    using data = await server.connectData();
    await data.command(arena.tpm2 ? tpm2.getRandom(1) : tpm12.getRandom(1));
  }
  await allClosed(server.process.pid, before);
}

/** Whoever came has gone: the process has what it had before. */
async function allClosed(pid: number, before: readonly string[]): Promise<void> {
  try {
    await waitUntil("no more descriptors", () => descriptorsOf(pid).length <= before.length, 5000);
  } catch (error) {
    const more = descriptorsOf(pid).filter((one) => !before.includes(one));
    throw new Error(`descriptors of those who have gone are open: ${more.slice(0, 20)}`, {
      cause: error,
    });
  }
}

/** Many rude lives on one channel, or both, while the good client is on the other. */
async function batch(story: Story, server: Server): Promise<void> {
  const { arena } = story;
  const random = new Random(story.seed ^ Math.imul(++story.batches, 0x85ebca6b));
  const hungry = random.oneIn(story.famineEvery);
  const attacked = random.oneIn(2) ? "data" : "control";
  const watched = arena.several || attacked === "control" ? "data" : "control";
  // Where the data clients come through the control channel nobody may keep that. Who comes anew
  // needs a descriptor each time, which a famine has to leave: neither would get in else.
  const anew = watched === "control" && server.data.kind === "datafd";
  const spare = random.between(anew ? 1 : 0, SPARE_MAX);
  const orders = { ...watch(story, server, watched, !hungry), anew };
  await story.watcher.begin(orders);
  try {
    await using _famine = hungry ? await Famine.begin(server.process.pid, spare) : undefined;
    if (hungry) story.famines++;
    const end = story.lives + (hungry ? BATCH / 4 : BATCH);
    const lane = async () => {
      while (story.lives < end) {
        assert.ok(server.process.running, "the server has ended");
        assert.ok(performance.now() < story.deadline, "the time is over");
        await live(visit(story, server, attacked, hungry));
      }
    };
    const lanes = Array.from({ length: random.between(1, LANES) }, lane);
    const lives = Promise.allSettled(lanes);
    for (const outcome of await within("the end of some hundred lives", lives, BATCH_MS)) {
      if (outcome.status === "rejected") throw outcome.reason;
    }
  } finally {
    await note(story, false);
  }
}

/** The next occasion; the same number always brings the same. */
function visit(
  story: Story,
  server: Server,
  attacked: "data" | "control",
  hungry: boolean,
): Visit {
  const random = new Random(story.seed ^ Math.imul(++story.visits, 0x9e3779b1));
  const { tpm2: isTpm2, several } = story.arena;
  const data = several ? random.oneIn(2) : attacked === "data";
  const fuzz = data ? dataFuzz : controlFuzz;
  // Without descriptors the TPM cannot store, which would end it until the next INIT.
  const next = hungry ? () => new Uint8Array(0) : () => {
    const message = fuzz(random, isTpm2);
    return data && isTpm2 && random.oneIn(3) ? withLocality(random.below(5), message) : message;
  };
  const long = isTpm2 ? tpm2.getCapability(TPM_CAP.COMMANDS, 0x11f, 300) : tpm12.getRandom(1024);
  const blob = controlMessage(CMD.GET_STATEBLOB, payload.getStateBlob(1, 1));
  const door: Door = data ? server.data : { kind: "connect", address: server.control };
  const greedy = data ? long : blob;
  const { descriptors, odd } = story;
  return { descriptors, odd, random, tally: story, door, next, greedy };
}

function watch(story: Story, server: Server, channel: "data" | "control", writes: boolean) {
  assert.ok(story.ledger !== undefined, "there is no counter yet");
  const door: Door = channel === "data"
    ? server.data
    : { kind: "connect", address: server.control };
  return { channel, door, anew: false, tpm2: story.arena.tpm2, writes, ledger: story.ledger };
}

/** Takes down what the good client saw. */
async function note(story: Story, killed: boolean): Promise<void> {
  const { answers, writes, slowestMs, ledger, failure } = await story.watcher.end();
  story.ledger = ledger;
  story.good.answers += answers;
  story.good.writes += writes;
  story.good.slowestMs = Math.max(story.good.slowestMs, slowestMs);
  if (!killed) assert.equal(failure, undefined, `the good client failed: ${failure}`);
}

/** The counter must be what was acknowledged last, or what was under way; at first it is made. */
async function readLedger(story: Story, server: Server): Promise<void> {
  using data = await server.connectData();
  const isTpm2 = story.arena.tpm2;
  const index = isTpm2 ? LEDGER_INDEX.tpm2 : LEDGER_INDEX.tpm12;
  const { ledger } = story;
  if (ledger === undefined) {
    const zero = counterBytes(0);
    const first = isTpm2
      ? [tpm2.nvDefineSpace(LEDGER_SIZE, index), tpm2.nvWrite(zero, 0, index)]
      : [tpm12.nvDefineSpace(LEDGER_SIZE, index), tpm12.nvWriteValue(zero, 0, index)];
    for (const bytes of first) assert.equal(readAnswer(await data.command(bytes)).code, 0);
    story.ledger = { acknowledged: 0, sent: 0 };
    return;
  }
  const held = readCounter(
    isTpm2
      ? readNvRead(await data.command(tpm2.nvRead(LEDGER_SIZE, 0, index)))
      : readNvReadValue(await data.command(tpm12.nvReadValue(LEDGER_SIZE, 0, index))),
  );
  assert.ok(
    held >= ledger.acknowledged && held <= ledger.sent,
    `LOST: the counter is ${held}, ${ledger.acknowledged} was acknowledged, ${ledger.sent} sent`,
  );
  story.ledger = { acknowledged: held, sent: held };
}

/** Starts the server once more, for nothing but what the last chapter left. */
export async function epilogue(story: Story): Promise<void> {
  await using server = await story.arena.start(story.stateDir);
  await serveGoodClient(story.arena.tpm2, server);
  await readLedger(story, server);
}
