// Numbers whose lowest byte comes first, as firmware writes them, and what stands behind such sizes.

import { type Codec, type NumberCodec, u16, u32, u64 } from "./codec.ts";
import { type BytesOptions, restBytes } from "./bytes.ts";
import { bytesText } from "./reader.ts";

const swap16 = (value: number) => (value << 8 | value >>> 8) & 0xffff;
const swap32 = (value: number) => (swap16(value & 0xffff) << 16 | swap16(value >>> 16)) >>> 0;
const swap64 = (value: bigint) =>
  BigInt(swap32(Number(value & 0xffff_ffffn))) << 32n | BigInt(swap32(Number(value >> 32n)));

export const u16le: NumberCodec = {
  ...u16,
  decode: (reader) => swap16(reader.u16()),
  encode: (writer, value) => writer.u16(swap16(value)),
};

export const u32le: NumberCodec = {
  ...u32,
  decode: (reader) => swap32(reader.u32()),
  encode: (writer, value) => writer.u32(swap32(value)),
};

export const u64le: Codec<bigint> = {
  ...u64,
  decode: (reader) => swap64(reader.u64()),
  encode: (writer, value) => writer.u64(swap64(value)),
};

/** Bytes behind their size. */
export function bytesBehind(
  type: string,
  size: NumberCodec,
  options: BytesOptions = {},
): Codec<Uint8Array> {
  const { show } = restBytes(type, options);
  return {
    type,
    sizeMin: size.sizeMin,
    decode(reader) {
      const at = reader.offset;
      const length = size.decode(reader);
      if (length > reader.left) {
        reader.fail(`${bytesText(length)} announced, ${reader.left} left`, at);
      }
      return reader.bytes(length);
    },
    encode(writer, value) {
      size.encode(writer, value.length);
      writer.bytes(value);
    },
    show,
  };
}
