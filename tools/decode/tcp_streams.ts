// TCP connections of a capture, put together again from their packets: which one talks to a TPM, who
// is the client, and where its messages end. Packets that are missing part a message from the next.

import type { CapturedMessage } from "./captured.ts";
import { directionOf, looksLikeMessages, MESSAGE_MAX, nextIn } from "./messages.ts";
import type { Segment } from "./packets.ts";

/** The port of the TPM simulator, by which captures that were made for Wireshark go. */
const TPM_PORT = 2321;
/** Connections that are kept in mind; the oldest one is forgotten for a new one. */
const CONNECTIONS_MAX = 256;

type Direction = CapturedMessage["direction"];

/** One direction of a connection. */
class Side {
  timeUs: number | undefined;
  /** The number of the next byte; undefined before the first one. */
  sequence: number | undefined;
  #memory = new Uint8Array();
  #length = 0;

  /** What came and is no whole message yet. */
  get pending(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }

  /** Puts bytes behind those; the memory doubles, so that many small packets are copied once. */
  add(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#memory.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#memory.length));
      larger.set(this.pending);
      this.#memory = larger;
    }
    this.#memory.set(bytes, this.#length);
    this.#length = length;
  }

  /** Keeps only what is behind the first `count` bytes. */
  remove(count: number): void {
    this.#memory.copyWithin(0, count, this.#length);
    this.#length -= count;
  }
}

interface Connection {
  /** The end that sends commands: "address:port". */
  readonly client: string;
  readonly number: number;
  readonly sides: Readonly<Record<Direction, Side>>;
}

export class TcpStreams {
  /** By both ends; undefined for one that has nothing to do with a TPM. */
  readonly #connections = new Map<string, Connection | undefined>();
  #clients = 0;

  /** The messages that are whole with this packet. */
  *packet(segment: Segment, timeUs: number | undefined): Generator<CapturedMessage> {
    const { from, to, payload, sequence, begins } = segment;
    const key = from < to ? `${from} ${to}` : `${to} ${from}`;
    if (begins) {
      const before = this.#connections.get(key);
      if (before !== undefined) yield* this.#flush(before);
      this.#connections.delete(key);
    }
    if (payload.length === 0) return;
    if (!this.#connections.has(key)) yield* this.#remember(key, segment);
    const connection = this.#connections.get(key);
    if (connection === undefined) return;
    const direction = from === connection.client ? "command" : "response";
    const side = connection.sides[direction];
    const fresh = unseen(payload, sequence, side.sequence);
    side.sequence = (sequence + payload.length) >>> 0;
    if (fresh === undefined) return;
    if (fresh.gap) yield* this.#flushSide(connection, direction);
    // An answer says that the question was whole, and the other way round.
    yield* this.#flushSide(connection, direction === "command" ? "response" : "command");
    yield* this.#append(connection, direction, fresh.bytes, timeUs);
  }

  /** What is left when the capture ends or another one begins in the same file. */
  *end(): Generator<CapturedMessage> {
    for (const connection of this.#connections.values()) {
      if (connection !== undefined) yield* this.#flush(connection);
    }
    this.#connections.clear();
  }

  *#remember(key: string, { from, to, fromPort, toPort, payload }: Segment) {
    for (const [oldest, connection] of this.#connections) {
      if (this.#connections.size < CONNECTIONS_MAX) break;
      if (connection !== undefined) yield* this.#flush(connection);
      this.#connections.delete(oldest);
    }
    const known = toPort === TPM_PORT || fromPort === TPM_PORT;
    const concerned = known || looksLikeMessages(payload);
    // Who is first to say something asks, unless the capture has begun later than the connection.
    const isAnswer = fromPort === TPM_PORT ||
      toPort !== TPM_PORT && directionOf(payload, false) === "response";
    const client = isAnswer ? to : from;
    const sides = { command: new Side(), response: new Side() };
    const connection = concerned ? { client, number: ++this.#clients, sides } : undefined;
    this.#connections.set(key, connection);
  }

  *#append(
    connection: Connection,
    direction: Direction,
    bytes: Uint8Array,
    timeUs: number | undefined,
  ): Generator<CapturedMessage> {
    const side = connection.sides[direction];
    if (side.pending.length === 0) side.timeUs = timeUs;
    side.add(bytes);
    const { pending } = side;
    let done = 0;
    while (done < pending.length) {
      const rest = pending.subarray(done);
      const next = nextIn(rest, direction);
      if (next.kind === "more" && rest.length <= MESSAGE_MAX) break;
      if (next.kind === "framing") done += next.to;
      else if (next.kind === "message" && isEnd(rest, next.to, direction)) {
        yield message(
          connection,
          direction,
          rest.subarray(next.from, next.to),
          side,
          next.locality,
        );
        done += next.to;
      } else {
        // Whatever it is, it came so.
        yield message(connection, direction, rest, side);
        done = pending.length;
      }
    }
    side.remove(done);
  }

  *#flush(connection: Connection): Generator<CapturedMessage> {
    yield* this.#flushSide(connection, "command");
    yield* this.#flushSide(connection, "response");
  }

  *#flushSide(connection: Connection, direction: Direction): Generator<CapturedMessage> {
    const side = connection.sides[direction];
    if (side.pending.length === 0) return;
    yield message(connection, direction, side.pending, side);
    side.remove(side.pending.length);
  }
}

/** Whether behind a message another one, or framing, begins: then its size was right. */
function isEnd(bytes: Uint8Array, end: number, direction: Direction): boolean {
  const rest = bytes.subarray(end);
  return rest.length === 0 || rest.length >= 4 && nextIn(rest, direction).kind !== "unknown";
}

function message(
  { number }: Connection,
  direction: Direction,
  bytes: Uint8Array,
  { timeUs }: Side,
  locality?: number,
): CapturedMessage {
  return { kind: "message", direction, bytes: bytes.slice(), timeUs, client: number, locality };
}

/** What of a packet was not seen yet; undefined for one that came again. */
function unseen(
  payload: Uint8Array,
  sequence: number,
  expected: number | undefined,
): { bytes: Uint8Array; gap: boolean } | undefined {
  if (expected === undefined) return { bytes: payload, gap: false };
  const ahead = sequence - expected | 0;
  if (ahead >= 0) return { bytes: payload, gap: ahead > 0 };
  return -ahead >= payload.length ? undefined : { bytes: payload.subarray(-ahead), gap: false };
}
