// Takes the values of a message one after the other, never beyond its bounds, and knows at each
// moment which field it is in: whatever is wrong is said with its place.

import { WireError } from "../../wire/codec.ts";

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #path: string[] = [];
  #offset: number;
  #end: number;

  constructor(bytes: Uint8Array, from = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#offset = from;
    this.#end = Math.min(end, bytes.length);
  }

  /** Where the next byte stands, counted from the beginning of the message. */
  get offset(): number {
    return this.#offset;
  }

  /** How many bytes are left within the present bounds. */
  get left(): number {
    return this.#end - this.#offset;
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  u16(): number {
    const at = this.#take(2);
    return this.#bytes[at]! << 8 | this.#bytes[at + 1]!;
  }

  /** The number that {@linkcode u16} would read. */
  peekU16(): number {
    const value = this.u16();
    this.#offset -= 2;
    return value;
  }

  u32(): number {
    const at = this.#take(4);
    const bytes = this.#bytes;
    return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
  }

  u64(): bigint {
    const high = this.u32();
    return BigInt(high) << 32n | BigInt(this.u32());
  }

  /** The next `length` bytes, as a copy: a value outlives its message. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const at = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(at, at + length));
  }

  /** Reads one field; `name` is part of the place of whatever is wrong in it. */
  field<T>(name: string, read: (reader: Reader) => T): T {
    this.enter(name);
    const value = read(this);
    this.leave();
    return value;
  }

  /** What follows belongs to the field `name`, until {@linkcode leave}. */
  enter(name: string): void {
    this.#path.push(name);
  }

  leave(): void {
    this.#path.pop();
  }

  /** Reads a value that takes exactly the next `size` bytes. */
  within<T>(size: number, read: (reader: Reader) => T): T {
    if (size > this.left) this.fail(`${bytesText(size)} announced, ${this.left} left`);
    const end = this.#end;
    this.#end = this.#offset + size;
    const value = read(this);
    this.finish();
    this.#end = end;
    return value;
  }

  /** Throws when bytes are left. */
  finish(): void {
    if (this.left > 0) this.fail(`${bytesText(this.left)} left over`);
  }

  /** Throws with the present place. */
  fail(reason: string, offset = this.#offset): never {
    throw new WireError(reason, { path: [...this.#path], offset });
  }

  #take(length: number): number {
    const at = this.#offset;
    if (length > this.#end - at) this.fail(`${bytesText(length)} wanted, ${this.left} left`);
    this.#offset = at + length;
    return at;
  }
}

/** A number of bytes, for messages. */
export function bytesText(count: number): string {
  return count === 1 ? "1 byte" : `${count} bytes`;
}
