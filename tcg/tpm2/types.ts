// The base types of TPM 2.0 (Part 2, 5 and 10.4.1): numbers by their names there, and what stands
// behind a size of two bytes, TPM2B.

import { type BytesOptions, sized, sizedBytes } from "../kernel/bytes.ts";
import { type AnyCodec, type Codec, i32, i8, u16, u32, u64, u8 } from "../kernel/codec.ts";
import { constants } from "../kernel/numbers.ts";

export const UINT8 = u8;
export const BYTE = u8;
export const INT8 = i8;
export const UINT16 = u16;
export const UINT32 = u32;
export const INT32 = i32;
export const UINT64 = u64;

/** Part 2, 9.2; any number is kept as it came. */
export const TPMI_YES_NO = constants("TPMI_YES_NO", u8, { NO: 0, YES: 1 });

/** Bytes behind their size. */
export function tpm2b(type: string, options: BytesOptions = {}): Codec<Uint8Array> {
  return sizedBytes(type, 2, options);
}

/** A structure behind its size; null where the size is 0. */
export function tpm2bOf<T>(type: string, inner: Codec<T>): Codec<T | null> {
  return sized(type, inner, 2);
}

/** Whether a value stands behind its size in two bytes. */
export function isSized(codec: AnyCodec): boolean {
  return codec.type.startsWith("TPM2B_");
}
