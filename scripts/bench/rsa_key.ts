// TPM2_CreatePrimary of an RSA-3072 storage key: the longest command that clients commonly send.
// Which commands are sent while it runs is control_row.ts's.

import { fields, sized16, u16, u32 } from "../../tests/support/bytes.ts";
import { authorised, TPM_ALG, TPM_CC, TPM_RH } from "../../tests/support/tpm2.ts";

const TPM_ALG_RSA = 1;
const RSA_BITS = 3072;

/** The command; another `number` makes another key, which takes another time. */
export function createPrimaryRsa3072(number: number): Uint8Array {
  return authorised(
    TPM_CC.CreatePrimary,
    [TPM_RH.OWNER],
    1,
    sized16(sized16(), sized16()), // TPM2B_SENSITIVE_CREATE: userAuth, data
    sized16(rsaStorageKey(number)),
    sized16(), // outsideInfo
    u32(0), // creationPCR
  );
}

/** TPMT_PUBLIC of a storage key. */
function rsaStorageKey(number: number): Uint8Array {
  const FIXED_TPM = 1 << 1;
  const FIXED_PARENT = 1 << 4;
  const SENSITIVE_DATA_ORIGIN = 1 << 5;
  const USER_WITH_AUTH = 1 << 6;
  const NO_DA = 1 << 10;
  const RESTRICTED = 1 << 16;
  const DECRYPT = 1 << 17;
  return fields(
    u16(TPM_ALG_RSA),
    u16(TPM_ALG.SHA256),
    u32(
      FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN | USER_WITH_AUTH | NO_DA | RESTRICTED |
        DECRYPT,
    ),
    sized16(), // authPolicy
    fields(u16(TPM_ALG.AES), u16(128), u16(TPM_ALG.CFB)), // symmetric
    u16(TPM_ALG.NULL), // scheme
    u16(RSA_BITS),
    u32(0), // exponent: the usual one
    sized16(u32(number)), // unique
  );
}
