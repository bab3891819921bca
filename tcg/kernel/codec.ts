// What a declared type can do: read its value from bytes, write it to the very same bytes, and show
// what it holds to somebody who does not know the type. Numbers are declared here; the other files
// of this folder make types of types.

import { Reader } from "./reader.ts";
import type { Shown } from "./shown.ts";
import { Writer } from "./writer.ts";

/** A type of the specifications. */
export interface Codec<T> {
  /** Its name in its specification. */
  readonly type: string;
  /** The fewest bytes that a value takes: how many can be there is known before any is read. */
  readonly sizeMin: number;
  decode(reader: Reader): T;
  encode(writer: Writer, value: T): void;
  show(value: T): Shown;
}

/** A type whose values are numbers of up to 32 bits. */
export type NumberCodec = Codec<number>;

// deno-lint-ignore no-explicit-any
export type AnyCodec = Codec<any>;

/** The type of the values of a codec. */
export type Value<C> = C extends { decode(reader: Reader): infer T } ? T : never;

/** The value that `bytes` hold, all of them. Throws {@linkcode WireError} with the place. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const reader = new Reader(bytes);
  const value = codec.decode(reader);
  reader.finish();
  return value;
}

/** The value as bytes. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  codec.encode(writer, value);
  return writer.finish();
}

function number(
  type: string,
  size: number,
  decode: NumberCodec["decode"],
  encode: NumberCodec["encode"],
): NumberCodec {
  const show = (value: number): Shown => ({ kind: "number", type, value });
  return { type, sizeMin: size, decode, encode, show };
}

export const u8 = number("UINT8", 1, (r) => r.u8(), (w, value) => w.u8(value));
export const u16 = number("UINT16", 2, (r) => r.u16(), (w, value) => w.u16(value));
export const u32 = number("UINT32", 4, (r) => r.u32(), (w, value) => w.u32(value));
/** A signed byte. */
export const i8 = number("INT8", 1, (r) => r.u8() << 24 >> 24, (w, value) => w.u8(value & 0xff));
/** A signed number of four bytes. */
export const i32 = number("INT32", 4, (r) => r.u32() | 0, (w, value) => w.u32(value >>> 0));

export const u64: Codec<bigint> = {
  type: "UINT64",
  sizeMin: 8,
  decode: (reader) => reader.u64(),
  encode: (writer, value) => writer.u64(value),
  show: (value) => ({ kind: "number", type: "UINT64", value }),
};
