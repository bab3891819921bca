// Byte strings: behind their size, of a fixed size, or all that is left; structures behind their
// size; and what is not to be shown unasked.

import { WireError } from "../../wire/codec.ts";
import { type AnyCodec, type Codec, decode, encode } from "./codec.ts";
import { bytesText, type Reader } from "./reader.ts";
import type { BytesRole, Shown } from "./shown.ts";
import type { Writer } from "./writer.ts";

/** What is known of byte strings. */
export interface BytesOptions {
  readonly role?: BytesRole;
  /** Structures one of which they hold; the value remains the bytes, over which signatures are. */
  readonly holds?: readonly AnyCodec[];
}

type SizeBytes = 1 | 2 | 4;

function readSize(reader: Reader, sizeBytes: SizeBytes): number {
  return sizeBytes === 2 ? reader.u16() : sizeBytes === 4 ? reader.u32() : reader.u8();
}

function writeSize(writer: Writer, sizeBytes: SizeBytes, size: number): void {
  if (sizeBytes === 2) writer.u16(size);
  else if (sizeBytes === 4) writer.u32(size);
  else writer.u8(size);
}

function showBytes(type: string, value: Uint8Array, options: BytesOptions): Shown {
  const { role = "data", holds = [] } = options;
  const inside = holds.length === 0 ? undefined : showInside(holds, value);
  const shown = { kind: "bytes", type, value, role } as const;
  return inside === undefined ? shown : { ...shown, inside };
}

function showInside(holds: readonly AnyCodec[], value: Uint8Array): Shown | undefined {
  for (const codec of holds) {
    try {
      return codec.show(decode(codec, value));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }
  return undefined;
}

/** Bytes behind their size in `sizeBytes` bytes. */
export function sizedBytes(
  type: string,
  sizeBytes: SizeBytes,
  options: BytesOptions = {},
): Codec<Uint8Array> {
  return {
    type,
    sizeMin: sizeBytes,
    decode(reader) {
      const at = reader.offset;
      const size = readSize(reader, sizeBytes);
      if (size > reader.left) {
        reader.fail(`${bytesText(size)} announced, ${reader.left} left`, at);
      }
      return reader.bytes(size);
    },
    encode(writer, value) {
      writeSize(writer, sizeBytes, value.length);
      writer.bytes(value);
    },
    show: (value) => showBytes(type, value, options),
  };
}

/** Exactly `size` bytes. */
export function fixedBytes(
  type: string,
  size: number,
  options: BytesOptions = {},
): Codec<Uint8Array> {
  return {
    type,
    sizeMin: size,
    decode: (reader) => reader.bytes(size),
    encode(writer, value) {
      if (value.length !== size) writer.fail(`${type} has ${size} bytes, not ${value.length}`);
      writer.bytes(value);
    },
    show: (value) => showBytes(type, value, options),
  };
}

/** All bytes up to the end of what they stand in. */
export function restBytes(type: string, options: BytesOptions = {}): Codec<Uint8Array> {
  return {
    type,
    sizeMin: 0,
    decode: (reader) => reader.bytes(reader.left),
    encode: (writer, value) => writer.bytes(value),
    show: (value) => showBytes(type, value, options),
  };
}

/** A structure behind its size in two or four bytes; null where the size is 0. */
export function sized<T>(type: string, inner: Codec<T>, sizeBytes: 2 | 4 = 2): Codec<T | null> {
  return {
    type,
    sizeMin: sizeBytes,
    decode(reader) {
      const size = readSize(reader, sizeBytes);
      return size === 0 ? null : reader.within(size, (reader) => inner.decode(reader));
    },
    encode(writer, value) {
      if (value === null) return writeSize(writer, sizeBytes, 0);
      const write = (writer: Writer) => inner.encode(writer, value);
      if (sizeBytes === 2) writer.sized16(write);
      else writer.sized32(write);
    },
    show: (value) => value === null ? { kind: "empty", type } : inner.show(value),
  };
}

/** The same type, but what it holds is not shown unasked. */
export function secret<T>(inner: Codec<T>): Codec<T> {
  const { type } = inner;
  return {
    ...inner,
    show(value) {
      const inside = inner.show(value);
      const size = inside.kind === "bytes" ? inside.value.length : encode(inner, value).length;
      return { kind: "secret", type, size, inside };
    },
  };
}
