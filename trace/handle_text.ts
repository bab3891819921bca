// Handles by their meaning, for readers.

import { TPM_HT, TPM_RH } from "../tcg/tpm2/constants.ts";

const PERMANENT = new Map<number, string>(
  Object.entries(TPM_RH).map(([name, value]) => [value, name.toLowerCase()]),
);

/** "owner", "PCR 7", "NV 0x01c00002", "policy session 0x03000000". */
export function handleText(handle: number): string {
  const digits = `0x${handle.toString(16).padStart(8, "0")}`;
  switch (handle >>> 24) {
    case TPM_HT.PCR:
      return `PCR ${handle}`;
    case TPM_HT.NV_INDEX:
      return `NV ${digits}`;
    case TPM_HT.HMAC_SESSION:
      return `HMAC session ${digits}`;
    case TPM_HT.POLICY_SESSION:
      return `policy session ${digits}`;
    case TPM_HT.PERMANENT:
      return handle === TPM_RH.PW ? "password" : PERMANENT.get(handle) ?? digits;
    default:
      return digits;
  }
}
