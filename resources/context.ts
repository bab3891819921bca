// A context as the TPM hands it out and takes it back: the few fields before its encrypted part say
// what it is of. Only the TPM can make or change one.
import { struct, u32 } from "../wire/codec.ts";

/** A TPMS_CONTEXT (TPM 2.0 Library Part 2, 14.5). */
export type Context = Uint8Array<ArrayBuffer>;

/** What it begins with. */
const head = struct("TPMS_CONTEXT", {
  countHigh: u32,
  countLow: u32,
  savedHandle: u32,
  hierarchy: u32,
});

export const CONTEXT_MIN = head.size;
const HIGH = 2 ** 32;

const countHighAt = head.reader("countHigh");
const countLowAt = head.reader("countLow");

/** What it is of: a session's handle, or {@linkcode SEQUENCE} or others for objects. */
export const savedHandleAt = head.reader("savedHandle");

/** Of a hash or HMAC that goes on. All other objects never change. */
export const SEQUENCE = 0x8000_0001;

/** How many sessions were saved before it, of all that the TPM had since it was reset. */
export function countOf(context: Context): number {
  return countHighAt(context, 0) * HIGH + countLowAt(context, 0);
}

export function isSameContext(one: Context, other: Context): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}
