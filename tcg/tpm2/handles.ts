// What a handle stands for (Part 1, 15; the TCG Registry of Reserved TPM 2.0 Handles; the TCG EK
// Credential Profile): its kind by its first byte, and the well-known ones by name.

import { TPM_HT, TPM_RH } from "./constants.ts";

export type HandleKind =
  | "PCR"
  | "NV index"
  | "HMAC session"
  | "policy session"
  | "permanent"
  | "transient object"
  | "persistent object"
  | "unknown";

/** What a handle is. */
export interface HandleMeaning {
  readonly kind: HandleKind;
  /** For readers: "owner", "PCR 7", "NV 0x01c00002 (EK certificate, RSA 2048)". */
  readonly text: string;
}

const KINDS: Readonly<Record<number, HandleKind>> = {
  [TPM_HT.PCR]: "PCR",
  [TPM_HT.NV_INDEX]: "NV index",
  [TPM_HT.HMAC_SESSION]: "HMAC session",
  [TPM_HT.POLICY_SESSION]: "policy session",
  [TPM_HT.EXTERNAL_NV]: "NV index",
  [TPM_HT.PERMANENT_NV]: "NV index",
  [TPM_HT.PERMANENT]: "permanent",
  [TPM_HT.TRANSIENT]: "transient object",
  [TPM_HT.PERSISTENT]: "persistent object",
};

const PERMANENT: Readonly<Record<number, string>> = {
  [TPM_RH.OWNER]: "owner",
  [TPM_RH.NULL]: "null",
  [TPM_RH.UNASSIGNED]: "unassigned",
  [TPM_RH.PW]: "password",
  [TPM_RH.LOCKOUT]: "lockout",
  [TPM_RH.ENDORSEMENT]: "endorsement",
  [TPM_RH.PLATFORM]: "platform",
  [TPM_RH.PLATFORM_NV]: "platform NV",
  [TPM_RH.FW_OWNER]: "owner, firmware-limited",
  [TPM_RH.FW_ENDORSEMENT]: "endorsement, firmware-limited",
  [TPM_RH.FW_PLATFORM]: "platform, firmware-limited",
  [TPM_RH.FW_NULL]: "null, firmware-limited",
};

/** NV indices and persistent objects that have a use of their own. */
const WELL_KNOWN: Readonly<Record<number, string>> = {
  0x01c00002: "EK certificate, RSA 2048",
  0x01c00003: "EK nonce, RSA 2048",
  0x01c00004: "EK template, RSA 2048",
  0x01c0000a: "EK certificate, ECC P-256",
  0x01c0000b: "EK nonce, ECC P-256",
  0x01c0000c: "EK template, ECC P-256",
  0x01c00012: "EK certificate, RSA 2048, high range",
  0x01c00013: "EK template, RSA 2048, high range",
  0x01c00014: "EK certificate, ECC P-256, high range",
  0x01c00015: "EK template, ECC P-256, high range",
  0x01c00016: "EK certificate, ECC P-384",
  0x01c00017: "EK template, ECC P-384",
  0x01c00018: "EK certificate, ECC P-521",
  0x01c00019: "EK template, ECC P-521",
  0x01c0001a: "EK certificate, ECC SM2",
  0x01c0001b: "EK template, ECC SM2",
  0x01c0001c: "EK certificate, RSA 3072",
  0x01c0001d: "EK template, RSA 3072",
  0x01c0001e: "EK certificate, RSA 4096",
  0x01c0001f: "EK template, RSA 4096",
  0x01c08000: "platform certificate",
  0x01c90100: "IAK certificate",
  0x01c90200: "IDevID certificate",
  0x81000001: "SRK",
  0x81010001: "EK, RSA 2048",
  0x8101000a: "EK, ECC P-256",
  0x81010012: "EK, RSA 2048, high range",
  0x81010014: "EK, ECC P-256, high range",
  0x81010016: "EK, ECC P-384",
  0x81010018: "EK, ECC P-521",
  0x8101001c: "EK, RSA 3072",
  0x8101001e: "EK, RSA 4096",
  0x81020000: "IDevID key",
  0x81020001: "IAK",
};

/** To whom the handles from `first` to `last` belong. */
interface Range {
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

const RANGES: readonly Range[] = [
  { first: 0x01000000, last: 0x013fffff, text: "TPM manufacturer's" },
  { first: 0x01400000, last: 0x017fffff, text: "platform manufacturer's" },
  { first: 0x01800000, last: 0x01bfffff, text: "owner's" },
  { first: 0x01c00100, last: 0x01c001ff, text: "EK certificate chain" },
  { first: 0x01c08000, last: 0x01c0ffff, text: "platform certificates" },
  { first: 0x01c10000, last: 0x01c1ffff, text: "component OEM's" },
  { first: 0x01c20000, last: 0x01c2ffff, text: "TPM OEM's" },
  { first: 0x01c30000, last: 0x01c3ffff, text: "platform OEM's" },
  { first: 0x01c40000, last: 0x01c4ffff, text: "PC client's" },
  { first: 0x81000000, last: 0x8100ffff, text: "storage key" },
  { first: 0x81010000, last: 0x8101ffff, text: "endorsement key" },
  { first: 0x81020000, last: 0x8102ffff, text: "device identity" },
  { first: 0x81800000, last: 0x81ffffff, text: "platform's" },
];

/** The kind of a handle. */
export function handleKind(handle: number): HandleKind {
  return KINDS[handle >>> 24] ?? "unknown";
}

/** What a handle stands for. */
export function handleMeaning(handle: number): HandleMeaning {
  const kind = handleKind(handle);
  return { kind, text: textOf(handle, kind) };
}

function textOf(handle: number, kind: HandleKind): string {
  const digits = `0x${handle.toString(16).padStart(8, "0")}`;
  const known = WELL_KNOWN[handle] ??
    RANGES.find(({ first, last }) => first <= handle && handle <= last)?.text;
  const withUse = known === undefined ? digits : `${digits} (${known})`;
  switch (kind) {
    case "PCR":
      return `PCR ${handle}`;
    case "permanent":
      return PERMANENT[handle] ?? timerOrVendor(handle) ?? digits;
    case "NV index":
      return `NV ${withUse}`;
    case "HMAC session":
    case "policy session":
      return `${kind} ${digits}`;
    case "transient object":
      return digits;
    case "persistent object":
      return withUse;
    case "unknown":
      return digits;
  }
}

function timerOrVendor(handle: number): string | undefined {
  if (handle >= TPM_RH.ACT_0 && handle <= TPM_RH.ACT_F) return `ACT ${handle - TPM_RH.ACT_0}`;
  if (handle >= TPM_RH.AUTH_00 && handle <= TPM_RH.AUTH_FF) {
    return `vendor authorisation ${handle - TPM_RH.AUTH_00}`;
  }
  return undefined;
}
