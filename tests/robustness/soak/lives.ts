// The lives of rude connections: resets in the backlog and in the middle, half-closes, crowds, slow
// readers, odd names and descriptors. What is said comes from mutations.ts.

import { CMD, controlMessage } from "../../support/control.ts";
import type { Descriptors } from "../../support/fd_passing.ts";
import { orLate, pause } from "../../support/wait.ts";
import { converse, onlyGone, type Spoken } from "../manners.ts";
import type { Random } from "../random.ts";
import { type Caller, type Door, knock } from "./door.ts";
import { stoppedProcess } from "./stopped_client.ts";

/** What rude clients have done. */
export interface Tally extends Spoken {
  lives: number;
  /** Attempts that found no room. */
  turnedAway: number;
}

/** One occasion to be rude. */
export interface Visit {
  readonly descriptors: Descriptors;
  /** Descriptors of files and devices. */
  readonly odd: readonly number[];
  readonly random: Random;
  readonly tally: Tally;
  readonly door: Door;
  readonly next: () => Uint8Array;
  /** Asks for a long answer. */
  readonly greedy: Uint8Array;
}

type Life = (visit: Visit) => Promise<void>;

/** The most connections of one crowd; a listener's backlog and the clients of `run` hold them. */
const CROWD = 40;
/** The longest that one life holds a place that others want. */
const HOLD_MS = 40;
const QUIET_MS = 5;
/** Messages of a talkative life, at most. */
const TALK = 100;

/** Lives and how many there are of each among the whole. */
const LIVES: readonly (readonly [weight: number, life: Life])[] = [
  [8, talk],
  [8, comeAndGo],
  [5, resetWhileWaiting],
  [5, resetInTheMiddle],
  [5, halfClose],
  [3, neverRead],
  [2, crowd],
  [2, oddName],
  [2, oddDescriptors],
  [1, stopped],
];

const WEIGHTS = LIVES.reduce((sum, [weight]) => sum + weight, 0);

/** One of the lives, by chance. */
export async function live(visit: Visit): Promise<void> {
  let ticket = visit.random.below(WEIGHTS);
  for (const [weight, life] of LIVES) {
    ticket -= weight;
    if (ticket < 0) return await life(visit).catch(onlyGone);
  }
}

async function come(visit: Visit, from?: Uint8Array): Promise<Caller | undefined> {
  const caller = await knock(visit.descriptors, visit.door, from);
  if (caller === undefined) {
    visit.tally.turnedAway++;
    // The others need a moment to make room.
    await pause(1);
  } else visit.tally.lives++;
  return caller;
}

/** Sends a message, as far as there is room: who waits for it may hold what others wait for. */
async function say(visit: Visit, caller: Caller, bytes = visit.next()): Promise<void> {
  visit.tally.messages++;
  await orLate(caller.client.send(bytes).catch(onlyGone), HOLD_MS);
}

/** Several at once; fewer where there is no room. */
async function comeTogether(visit: Visit, count: number): Promise<Caller[]> {
  const callers: Caller[] = [];
  for (let n = 0; n < count; n++) {
    const caller = await come(visit);
    if (caller === undefined) break;
    callers.push(caller);
  }
  return callers;
}

/** One of several ends. */
async function leave(visit: Visit, { fd, client }: Caller): Promise<void> {
  switch (visit.random.below(5)) {
    case 0:
      visit.descriptors.resetAtClose(fd);
      break;
    case 1:
      visit.descriptors.shutDown(fd);
      break;
    case 2:
      await client.closeWrite();
      await client.receiveUntilQuiet(0, QUIET_MS);
      break;
  }
  client.close();
}

/** Messages in one of several manners. */
async function talk(visit: Visit): Promise<void> {
  const caller = await come(visit);
  if (caller === undefined) return;
  const { random, tally, next } = visit;
  const talking = converse(caller.client, random, random.between(1, TALK), tally, next);
  // Whoever is not served would wait for room in the socket for ever.
  await orLate(talking, HOLD_MS * 10);
  await leave(visit, caller);
  await talking;
}

/** Lives so short that most are over before they are accepted. */
async function comeAndGo(visit: Visit): Promise<void> {
  for (let n = visit.random.between(1, 20); n > 0; n--) {
    const caller = await come(visit);
    if (caller === undefined) return;
    if (visit.random.oneIn(2)) await say(visit, caller);
    await leave(visit, caller);
  }
}

/** A port scan: what waits to be accepted is reset. */
async function resetWhileWaiting(visit: Visit): Promise<void> {
  const callers = await comeTogether(visit, visit.random.between(1, 12));
  for (const caller of callers) {
    if (visit.random.oneIn(3)) await say(visit, caller);
  }
  for (const { fd, client } of callers) {
    visit.descriptors.resetAtClose(fd);
    client.close();
  }
}

/** With answers under way, or half a message. */
async function resetInTheMiddle(visit: Visit): Promise<void> {
  const caller = await come(visit);
  if (caller === undefined) return;
  const { random } = visit;
  try {
    for (let n = random.between(1, 8); n > 0; n--) {
      await say(visit, caller, random.oneIn(4) ? visit.greedy : visit.next());
    }
    if (random.oneIn(2)) await caller.client.receiveUntilQuiet(0, random.below(QUIET_MS));
    if (random.oneIn(2)) await caller.client.send(visit.greedy.subarray(0, random.between(1, 9)));
    if (visit.door.kind === "connect" && visit.door.address.transport === "tcp") {
      visit.descriptors.sendUrgent(caller.fd, random.below(256));
    }
  } finally {
    visit.descriptors.resetAtClose(caller.fd);
    caller.client.close();
  }
}

/** Says that it will send no more, and waits for its answers. */
async function halfClose(visit: Visit): Promise<void> {
  const caller = await come(visit);
  if (caller === undefined) return;
  try {
    for (let n = visit.random.below(6); n > 0; n--) await say(visit, caller);
    await caller.client.closeWrite();
    const { bytes } = await caller.client.receiveUntilQuiet(QUIET_MS, HOLD_MS);
    if (bytes.length > 0) visit.tally.answers++;
  } finally {
    await leave(visit, caller);
  }
}

/** Asks for much, reads nothing or little, until the emulator can send no more. */
async function neverRead(visit: Visit): Promise<void> {
  const caller = await come(visit);
  if (caller === undefined) return;
  const { random } = visit;
  const asking = (async () => {
    for (let n = random.between(20, 400); n > 0; n--) {
      await caller.client.send(random.oneIn(8) ? visit.next() : visit.greedy);
      visit.tally.messages++;
    }
  })().catch(onlyGone);
  await orLate(asking, random.between(1, HOLD_MS));
  if (random.oneIn(3)) await caller.client.receiveUntilQuiet(0, random.below(QUIET_MS));
  await leave(visit, caller);
  await asking;
}

/** Many at once, each with something or nothing to say, who leave in another order. */
async function crowd(visit: Visit): Promise<void> {
  const { random } = visit;
  const callers = await comeTogether(visit, random.between(2, CROWD));
  for (const caller of callers) {
    if (!random.oneIn(3)) await say(visit, caller);
  }
  await pause(random.below(HOLD_MS));
  while (callers.length > 0) {
    const [caller] = callers.splice(random.below(callers.length), 1);
    if (caller !== undefined) await leave(visit, caller).catch(onlyGone);
  }
}

/** A Unix client whose own name is abstract and no text. */
async function oddName(visit: Visit): Promise<void> {
  const { random, door } = visit;
  const unix = door.kind === "connect" && door.address.transport === "unix";
  // sun_path takes 108 bytes; the first is 0 for an abstract name.
  const name = Uint8Array.of(0, 0xff, 0xfe, ...random.bytes(random.between(8, 105)));
  const caller = await come(visit, unix ? name : undefined);
  if (caller === undefined) return;
  if (random.oneIn(2)) await say(visit, caller);
  await caller.client.receiveUntilQuiet(0, random.below(QUIET_MS));
  await leave(visit, caller);
}

/** Descriptors that nobody asked for, too many, of every kind. */
async function oddDescriptors(visit: Visit): Promise<void> {
  const { random, door, descriptors } = visit;
  const address = door.kind === "connect" ? door.address : door.control;
  if (address.transport !== "unix") return await halfClose(visit);
  const fd = descriptors.connectNow(address);
  if (fd === undefined) return;
  visit.tally.lives++;
  using client = descriptors.client(fd);
  const [one, other] = descriptors.socketPair();
  const pool = [one, other, fd, ...visit.odd];
  const passed = Array.from({ length: random.between(1, 3) }, () => random.pick(pool));
  const ask = random.oneIn(2) ? controlMessage(CMD.SET_DATAFD) : visit.next();
  try {
    // What is empty cannot carry a descriptor.
    const bytes = ask.length === 0 ? Uint8Array.of(0) : ask;
    visit.tally.messages++;
    descriptors.sendWithDescriptors(fd, bytes, passed);
    await client.receiveUntilQuiet(0, random.below(HOLD_MS));
  } catch (error) {
    // The emulator may be gone already; what the kernel refuses to pass is no matter here.
    if (!(error instanceof Error && error.message.startsWith("sendmsg"))) throw error;
  } finally {
    descriptors.close(one);
    descriptors.close(other);
  }
}

/** A process that is stopped in the middle, and goes on or is killed. */
async function stopped(visit: Visit): Promise<void> {
  const { door, random, tally } = visit;
  if (door.kind !== "connect") return await neverRead(visit);
  const messages = Array.from({ length: random.between(1, 30) }, visit.next);
  tally.lives++;
  tally.messages += messages.length;
  await stoppedProcess(door.address, messages, random, HOLD_MS);
}
