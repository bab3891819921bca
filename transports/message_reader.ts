// Collects the bytes of a data channel into whole TPM messages, without ever waiting for the rest
// of one. Where a message ends is wire/framing.ts' knowledge.
import { WOULD_BLOCK } from "../ffi/sockets.ts";
import { MESSAGE_MIN, messageSize } from "../wire/framing.ts";
import { NO_WORDS, wordMessageSize, type Words } from "../wire/simulator.ts";
import { sendCommandPrefix } from "../wire/tpm.ts";
import type { Channel } from "./channel.ts";

/**
 * How long the rest of a message may take once its header is there; then what came is taken for
 * the message, as the C program does at once. A client that sends a wrong size gets its error so.
 */
const REST_MS = 500;

/** What a look at the channel brought. */
export type ReadOutcome = "message" | "partial" | "nothing" | "gone";

export class MessageReader {
  /** The first {@linkcode size} bytes are the message. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** Size of the message that is there whole; 0 while there is none. */
  size = 0;
  #length = 0;
  #restUntil: number | undefined;

  /**
   * `prefixed`: whether messages may begin with a send-command prefix; `commandMax`: the size of the
   * largest command, for which there is room behind one; `words`: with which words of the simulator.
   */
  constructor(
    private readonly prefixed: boolean,
    commandMax: number,
    private readonly words: Words = NO_WORDS,
  ) {
    this.buffer = new Uint8Array(commandMax + sendCommandPrefix.size);
  }

  /** When an incomplete message is taken as it is (performance.now()), if one waits for its rest. */
  get restUntil(): number | undefined {
    return this.#restUntil;
  }

  /** Takes what the channel has; with `wait` it may sleep for a while until there is something. */
  receive(channel: Channel, wait = false): ReadOutcome {
    const free = this.#length === 0 ? this.buffer : this.buffer.subarray(this.#length);
    const count = channel.receive(free, wait);
    if (count === WOULD_BLOCK) return "nothing";
    if (count === 0) return "gone";
    this.#length += count;
    return this.#look();
  }

  /**
   * Takes a message whose rest is overdue as it is. The rest may have come while this process did
   * not run: before its time counts as over, the channel is read once more, if it can be.
   */
  expire(channel: Channel): ReadOutcome {
    if (this.#restUntil === undefined || performance.now() < this.#restUntil) return "nothing";
    if (channel.neverWaits) {
      const outcome = this.receive(channel);
      if (outcome === "message" || outcome === "gone") return outcome;
    }
    this.size = this.#length;
    return "message";
  }

  /** Forgets all, for another client. */
  clear(): void {
    this.size = 0;
    this.#length = 0;
    this.#restUntil = undefined;
  }

  /** Forgets the message, which was answered. */
  drop(): void {
    if (this.size < this.#length) this.buffer.copyWithin(0, this.size, this.#length);
    this.#length -= this.size;
    this.size = 0;
    this.#restUntil = undefined;
    if (this.#length > 0) this.#look();
  }

  /** Forgets all of the message but its first `head` bytes, behind which more of it is to come. */
  dropBehind(head: number): void {
    this.buffer.copyWithin(head, this.size, this.#length);
    this.#length -= this.size - head;
    this.size = 0;
    this.#restUntil = undefined;
    this.#look();
  }

  #look(): "message" | "partial" {
    this.size = messageSize(this.buffer, this.#length, this.prefixed, this.words);
    if (this.size > 0) return "message";
    // What begins with a word says by itself how long it is, and can be waited for.
    const known = wordMessageSize(this.buffer, this.#length, this.words) !== undefined;
    if (this.#length >= MESSAGE_MIN && !known) this.#restUntil ??= performance.now() + REST_MS;
    return "partial";
  }
}
