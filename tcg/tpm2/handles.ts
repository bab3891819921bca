// What a handle stands for (Part 1, 15, and Part 2, 7): its kind by its first byte, and in words.

import { TPM_HT, TPM_RH } from "./constants.ts";
import { reservedUse } from "./reserved_handles.ts";

export type HandleKind =
  | "PCR"
  | "NV index"
  | "HMAC session"
  | "policy session"
  | "permanent"
  | "transient object"
  | "persistent object"
  | "unknown";

const KINDS: ReadonlyMap<number, HandleKind> = new Map([
  [TPM_HT.PCR, "PCR"],
  [TPM_HT.NV_INDEX, "NV index"],
  [TPM_HT.HMAC_SESSION, "HMAC session"],
  [TPM_HT.POLICY_SESSION, "policy session"],
  [TPM_HT.EXTERNAL_NV, "NV index"],
  [TPM_HT.PERMANENT_NV, "NV index"],
  [TPM_HT.PERMANENT, "permanent"],
  [TPM_HT.TRANSIENT, "transient object"],
  [TPM_HT.PERSISTENT, "persistent object"],
]);

const PERMANENT: ReadonlyMap<number, string> = new Map([
  [TPM_RH.OWNER, "owner"],
  [TPM_RH.NULL, "null"],
  [TPM_RH.UNASSIGNED, "unassigned"],
  [TPM_RH.PW, "password"],
  [TPM_RH.LOCKOUT, "lockout"],
  [TPM_RH.ENDORSEMENT, "endorsement"],
  [TPM_RH.PLATFORM, "platform"],
  [TPM_RH.PLATFORM_NV, "platform NV"],
  [TPM_RH.FW_OWNER, "firmware-limited owner"],
  [TPM_RH.FW_ENDORSEMENT, "firmware-limited endorsement"],
  [TPM_RH.FW_PLATFORM, "firmware-limited platform"],
  [TPM_RH.FW_NULL, "firmware-limited null"],
]);

/** The kind of a handle. */
export function handleKind(handle: number): HandleKind {
  return KINDS.get(handle >>> 24) ?? "unknown";
}

/** "owner", "PCR 7", "NV 0x01c00002 (EK certificate RSA 2048)", "policy session 0x03000000". */
export function handleText(handle: number): string {
  const kind = handleKind(handle);
  const digits = `0x${handle.toString(16).padStart(8, "0")}`;
  switch (kind) {
    case "PCR":
      return `PCR ${handle}`;
    case "permanent":
      return PERMANENT.get(handle) ?? permanentRangeText(handle) ?? digits;
    case "NV index":
      return `NV ${withUse(handle, digits)}`;
    case "persistent object":
      return withUse(handle, digits);
    case "HMAC session":
    case "policy session":
      return `${kind} ${digits}`;
    case "transient object":
    case "unknown":
      return digits;
  }
}

function withUse(handle: number, digits: string): string {
  const use = reservedUse(handle);
  return use === undefined ? digits : `${digits} (${use})`;
}

function permanentRangeText(handle: number): string | undefined {
  if (handle >= TPM_RH.ACT_0 && handle <= TPM_RH.ACT_F) return `ACT ${handle - TPM_RH.ACT_0}`;
  if (handle >= TPM_RH.AUTH_00 && handle <= TPM_RH.AUTH_FF) {
    return `vendor's authorisation ${handle - TPM_RH.AUTH_00}`;
  }
  return undefined;
}
