// The bytes of a capture, in the order in which they come: from a file or a pipe, a piece at a time,
// so that a capture of any length takes the same memory.

/** Gives the next bytes; 0 at the end. */
export type ReadBytes = (into: Uint8Array<ArrayBuffer>) => number;

const PIECE_SIZE = 64 * 1024;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export class Input {
  #bytes = new Uint8Array(PIECE_SIZE);
  /** What is there and was not taken yet. */
  #from = 0;
  #to = 0;
  #ended = false;
  #offset = 0;

  constructor(private readonly read: ReadBytes) {}

  /** How many bytes were taken. */
  get offset(): number {
    return this.#offset;
  }

  /** The next `count` bytes, fewer at the end; valid until more is asked for. */
  peek(count: number): Uint8Array {
    while (this.#to - this.#from < count && this.#more());
    return this.#bytes.subarray(this.#from, Math.min(this.#to, this.#from + count));
  }

  /** Takes the next `count` bytes, fewer at the end; valid until more is asked for. */
  take(count: number): Uint8Array {
    const bytes = this.peek(count);
    this.#advance(bytes.length);
    return bytes;
  }

  /** Passes over `count` bytes; false when there are fewer. */
  skip(count: number): boolean {
    let left = count;
    while (left > 0) {
      const passed = this.take(Math.min(left, PIECE_SIZE)).length;
      if (passed === 0) return false;
      left -= passed;
    }
    return true;
  }

  /**
   * Takes a line without its end; undefined at the end of all. One that is longer than `max` bytes is
   * "long" and remains.
   */
  line(max: number): string | undefined | "long" {
    let looked = 0;
    for (;;) {
      const end = this.#bytes.subarray(this.#from + looked, this.#to).indexOf(NEWLINE);
      if (end >= 0) return this.#takeLine(looked + end, 1, max);
      looked = this.#to - this.#from;
      if (looked > max) return "long";
      if (!this.#more()) return looked === 0 ? undefined : this.#takeLine(looked, 0, max);
    }
  }

  #takeLine(length: number, end: number, max: number): string {
    if (length > max) return "long";
    const bytes = this.#bytes.subarray(this.#from, this.#from + length);
    const text = bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
    const line = new TextDecoder().decode(text);
    this.#advance(length + end);
    return line;
  }

  #advance(count: number): void {
    this.#from += count;
    this.#offset += count;
  }

  /** Fetches some more; false at the end. */
  #more(): boolean {
    if (this.#ended) return false;
    const held = this.#to - this.#from;
    if (this.#bytes.length - this.#to < PIECE_SIZE) {
      const large = held + PIECE_SIZE > this.#bytes.length;
      const room = large ? new Uint8Array(2 * this.#bytes.length) : this.#bytes;
      room.set(this.#bytes.subarray(this.#from, this.#to));
      this.#bytes = room;
      this.#from = 0;
      this.#to = held;
    }
    const count = this.read(this.#bytes.subarray(this.#to, this.#to + PIECE_SIZE));
    this.#to += count;
    this.#ended = count === 0;
    return count > 0;
  }
}

/** The input that is these bytes. */
export function inputOf(bytes: Uint8Array): Input {
  let at = 0;
  return new Input((into) => {
    const piece = bytes.subarray(at, at + into.length);
    into.set(piece);
    at += piece.length;
    return piece.length;
  });
}
