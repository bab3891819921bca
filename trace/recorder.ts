// Makes exchanges of what passes by, and has them written when there is time: while a command is on
// its way, its bytes are copied and no more. What waits to be written has a bound; beyond it each
// command pays for one that waits, so that none is lost.

import { TPM_RC } from "../tcg/tpm2/results.ts";
import type { Tap } from "../tpm/tap.ts";
import { TpmResult } from "../wire/codes.ts";
import { prefixSize } from "../wire/framing.ts";
import { responseHeader, sendCommandPrefix } from "../wire/tpm.ts";
import type { Client, ControlValues, Exchange, TraceEvent } from "./exchange.ts";

/** Events that may wait, and bytes of commands and responses in them. */
const WAITING_MAX = 1024;
const WAITING_BYTES_MAX = 1 << 20;
/** As much goes into a pipe at once; more lines are handed over together only by accident. */
const BATCH_MAX = 4096;
/** How many refused commands are kept. */
const REFUSED_MAX = 5;

/** Results that say: send it again. Whoever gets one does, and it is no refusal. */
const AGAIN: ReadonlySet<number> = new Set([
  TpmResult.RETRY,
  TPM_RC.RETRY,
  TPM_RC.TESTING,
  TPM_RC.YIELDED,
]);

/** What this program itself sends to its TPM. */
const OURSELVES: Client = { number: 0, process: "swtpm" };

const prefixLocalityAt = sendCommandPrefix.reader("locality");
const resultAt = responseHeader.reader("code");

export interface RecorderParts {
  /** The line of an event, with its end. */
  readonly format: (event: TraceEvent) => string;
  /** Takes so many whole lines. */
  readonly write: (lines: string, count: number) => void;
  /** That of the chip, which the next command without a prefix has. */
  readonly locality: () => number;
  /** Whether commands may have a prefix. */
  readonly prefixed: boolean;
  readonly now?: () => number;
}

/** What a control message says, as far as a trace tells of it. */
export interface ControlTold {
  readonly name: string;
  readonly request: ControlValues;
  readonly result: number | undefined;
  readonly response: ControlValues;
}

type Begun = Omit<Exchange, "response" | "durationMs" | "kind"> & { readonly timeMs: number };

export class Recorder implements Tap {
  readonly #now: () => number;
  readonly #start: number;
  /** Whose messages stand in which memory. */
  readonly #clients = new WeakMap<ArrayBufferLike, Client>();
  #clientCount = 0;
  /** A command that is not answered yet. */
  #begun: Begun | undefined;
  /** What waits, from {@linkcode #first} on. */
  #waiting: TraceEvent[] = [];
  #first = 0;
  #waitingBytes = 0;
  #batch = "";
  #batchCount = 0;
  readonly #refused: Exchange[] = [];

  constructor(private readonly parts: RecorderParts) {
    this.#now = parts.now ?? (() => performance.now());
    this.#start = this.#now();
  }

  /** Milliseconds since the trace began. */
  get timeMs(): number {
    return this.#now() - this.#start;
  }

  /** From now on what stands in `memory` is a message of the next client. */
  connect(memory: ArrayBufferLike, client: Omit<Client, "number">): void {
    this.#clients.set(memory, { number: ++this.#clientCount, ...client });
  }

  received(bytes: Uint8Array): void {
    this.#unanswered();
    const prefix = this.parts.prefixed ? prefixSize(bytes, bytes.length) : 0;
    this.#begun = {
      timeMs: this.timeMs,
      client: this.#clients.get(bytes.buffer) ?? OURSELVES,
      locality: prefix === 0 ? this.parts.locality() : prefixLocalityAt(bytes, 0),
      command: bytes.slice(prefix),
    };
  }

  sent(bytes: Uint8Array): void {
    const begun = this.#begun;
    if (begun === undefined) return;
    this.#begun = undefined;
    const durationMs = this.timeMs - begun.timeMs;
    const exchange: Exchange = { kind: "command", ...begun, response: bytes.slice(), durationMs };
    const result = bytes.length < responseHeader.size ? 0 : resultAt(bytes, 0);
    if (result !== 0 && !AGAIN.has(result) && begun.client !== OURSELVES) {
      this.#refused.push(exchange);
      if (this.#refused.length > REFUSED_MAX) this.#refused.shift();
    }
    this.#add(exchange, begun.command.length + bytes.length);
  }

  /** A control command that came at `timeMs` and is answered. */
  control(told: ControlTold, timeMs: number): void {
    const durationMs = this.timeMs - timeMs;
    this.#add({ kind: "control", timeMs, durationMs, ...told }, 0);
  }

  /** Something to be known at this place. */
  remark(text: string, date?: Date): void {
    this.#add({ kind: "remark", timeMs: this.timeMs, text, date }, 0);
  }

  /** The last commands of clients that the TPM refused. */
  get refused(): readonly Exchange[] {
    return this.#refused;
  }

  /** Whether something waits. */
  get hasWork(): boolean {
    return this.#first < this.#waiting.length || this.#batch !== "";
  }

  /** Writes down one event that waits; false when there is none. */
  work(): boolean {
    const event = this.#waiting[this.#first];
    if (event === undefined) return false;
    this.#first++;
    if (this.#first === this.#waiting.length) {
      this.#waiting = [];
      this.#first = 0;
      this.#waitingBytes = 0;
    }
    this.#batch += this.parts.format(event);
    this.#batchCount++;
    if (this.#batch.length >= BATCH_MAX) this.#handOver();
    return true;
  }

  /** Writes down all that waits, and hands it over. */
  finish(): void {
    while (this.work());
    if (this.#batch !== "") this.#handOver();
  }

  /** The end: a command that has no answer yet gets none. */
  close(): void {
    this.#unanswered();
    this.finish();
  }

  #unanswered(): void {
    if (this.#begun === undefined) return;
    const exchange: Exchange = { kind: "command", ...this.#begun, response: undefined };
    this.#begun = undefined;
    this.#add(exchange, exchange.command.length);
  }

  #add(event: TraceEvent, bytes: number): void {
    this.#waiting.push(event);
    this.#waitingBytes += bytes;
    const tooMany = this.#waiting.length - this.#first > WAITING_MAX;
    if (tooMany || this.#waitingBytes > WAITING_BYTES_MAX) this.#relieve();
  }

  /** Writes down what is too much. */
  #relieve(): void {
    if (this.#waitingBytes > WAITING_BYTES_MAX) { while (this.work()); }
    else this.work();
    // What was written down is let go of from time to time, not each time.
    if (this.#first > WAITING_MAX) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
  }

  #handOver(): void {
    const lines = this.#batch;
    const count = this.#batchCount;
    this.#batch = "";
    this.#batchCount = 0;
    this.parts.write(lines, count);
  }
}
