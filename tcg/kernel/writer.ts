// Puts the values of a message behind each other, in memory that grows, and knows which field it
// is in: a value that its bytes cannot hold is refused with its place.

import { WireError } from "../../wire/codec.ts";

const FIRST_CAPACITY = 256;

export class Writer {
  readonly #path: string[] = [];
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #length = 0;

  /** How many bytes were written. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    this.#check(value, 0xff);
    const at = this.#grow(1);
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    this.#check(value, 0xffff);
    this.#putU16(this.#grow(2), value);
  }

  u32(value: number): void {
    this.#check(value, 0xffff_ffff);
    this.#putU32(this.#grow(4), value);
  }

  u64(value: bigint): void {
    if (typeof value !== "bigint" || value < 0n || value > 0xffff_ffff_ffff_ffffn) {
      this.fail(`${value} does not fit in eight bytes`);
    }
    this.u32(Number(value >> 32n));
    this.u32(Number(value & 0xffff_ffffn));
  }

  bytes(value: Uint8Array): void {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
  }

  /** Writes what `write` writes behind its size in two bytes. */
  sized16(write: (writer: Writer) => void): void {
    const at = this.#grow(2);
    write(this);
    const size = this.#length - at - 2;
    if (size > 0xffff) this.fail(`${size} bytes have a size of more than two bytes`);
    this.#putU16(at, size);
  }

  /** Writes what `write` writes behind its size in four bytes. */
  sized32(write: (writer: Writer) => void): void {
    const at = this.#grow(4);
    write(this);
    this.#putU32(at, this.#length - at - 4);
  }

  /** What follows belongs to the field `name`, until {@linkcode leave}. */
  enter(name: string): void {
    this.#path.push(name);
  }

  leave(): void {
    this.#path.pop();
  }

  /** Throws with the present place. */
  fail(reason: string): never {
    throw new WireError(reason, { path: [...this.#path], offset: this.#length });
  }

  /** All that was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #check(value: number, max: number): void {
    if (!Number.isInteger(value) || value < 0 || value > max) {
      this.fail(`${value} is not a number from 0 to ${max}`);
    }
  }

  #putU16(at: number, value: number): void {
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }

  #putU32(at: number, value: number): void {
    this.#putU16(at, value >>> 16);
    this.#putU16(at + 2, value);
  }

  /** Makes room for `count` more bytes, maybe in other memory; returns where they stand. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length = at + count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }
}
