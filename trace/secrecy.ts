// What a trace does not tell unless it is asked to. What the specifications' declarations call a
// secret is one. Beside that, only what is known to be open is shown: who reads a trace must learn
// nothing from it that opens something.

import type { Shown } from "../tcg/kernel/shown.ts";

/** Byte strings without a role that hold nothing to be kept. */
const OPEN_TYPES: ReadonlySet<string> = new Set([
  "TPM2B_DATA",
  "TPM2B_LABEL",
  "TPM2B_NONCE",
  "TPM_NONCE",
]);

/** Whether bytes may be shown as they are; others are told by their number. */
export function isOpen({ role, type }: Extract<Shown, { kind: "bytes" }>): boolean {
  return role !== "data" || OPEN_TYPES.has(type);
}
