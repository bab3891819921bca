// Objects: public areas, sensitive areas, and how they leave the TPM (Part 2, 12). A private area
// can be in the clear (a duplicate without a wrapper), so it is a secret.

import { secret } from "../../kernel/bytes.ts";
import { u16, u32, type Value } from "../../kernel/codec.ts";
import { by, struct, union } from "../../kernel/struct.ts";
import { TPM_ALG, TPMI_ALG_HASH, TPMI_ALG_PUBLIC, TPMI_ECC_CURVE } from "../algorithms.ts";
import { TPMA_OBJECT } from "../attributes.ts";
import { tpm2b, tpm2bOf } from "../types.ts";
import {
  TPM2B_ECC_PARAMETER,
  TPM2B_PRIVATE_KEY_RSA,
  TPM2B_PUBLIC_KEY_RSA,
  TPMS_ECC_POINT,
  TPMT_ECC_SCHEME,
  TPMT_KDF_SCHEME,
  TPMT_RSA_SCHEME,
} from "./asymmetric.ts";
import { TPM2B_AUTH, TPM2B_DIGEST } from "./digests.ts";
import {
  TPM2B_SENSITIVE_DATA,
  TPM2B_SYM_KEY,
  TPMS_DERIVE,
  TPMS_SYMCIPHER_PARMS,
  TPMT_KEYEDHASH_SCHEME,
  TPMT_SYM_DEF_OBJECT,
} from "./symmetric.ts";

export const TPMU_PUBLIC_ID = union("TPMU_PUBLIC_ID", {
  keyedHash: [TPM_ALG.KEYEDHASH, TPM2B_DIGEST],
  sym: [TPM_ALG.SYMCIPHER, TPM2B_DIGEST],
  rsa: [TPM_ALG.RSA, TPM2B_PUBLIC_KEY_RSA],
  ecc: [TPM_ALG.ECC, TPMS_ECC_POINT],
});

export const TPMS_KEYEDHASH_PARMS = struct("TPMS_KEYEDHASH_PARMS", {
  scheme: TPMT_KEYEDHASH_SCHEME,
});
export const TPMS_RSA_PARMS = struct("TPMS_RSA_PARMS", {
  symmetric: TPMT_SYM_DEF_OBJECT,
  scheme: TPMT_RSA_SCHEME,
  keyBits: u16,
  exponent: u32,
});
export const TPMS_ECC_PARMS = struct("TPMS_ECC_PARMS", {
  symmetric: TPMT_SYM_DEF_OBJECT,
  scheme: TPMT_ECC_SCHEME,
  curveID: TPMI_ECC_CURVE,
  kdf: TPMT_KDF_SCHEME,
});

export const TPMU_PUBLIC_PARMS = union("TPMU_PUBLIC_PARMS", {
  keyedHashDetail: [TPM_ALG.KEYEDHASH, TPMS_KEYEDHASH_PARMS],
  symDetail: [TPM_ALG.SYMCIPHER, TPMS_SYMCIPHER_PARMS],
  rsaDetail: [TPM_ALG.RSA, TPMS_RSA_PARMS],
  eccDetail: [TPM_ALG.ECC, TPMS_ECC_PARMS],
});

export const TPMT_PUBLIC_PARMS = struct("TPMT_PUBLIC_PARMS", {
  type: TPMI_ALG_PUBLIC,
  parameters: by("type", TPMU_PUBLIC_PARMS),
});

export const TPMT_PUBLIC = struct("TPMT_PUBLIC", {
  type: TPMI_ALG_PUBLIC,
  nameAlg: TPMI_ALG_HASH,
  objectAttributes: TPMA_OBJECT,
  authPolicy: TPM2B_DIGEST,
  parameters: by("type", TPMU_PUBLIC_PARMS),
  unique: by("type", TPMU_PUBLIC_ID),
});
export type TPMT_PUBLIC = Value<typeof TPMT_PUBLIC>;
export const TPM2B_PUBLIC = tpm2bOf("TPM2B_PUBLIC", TPMT_PUBLIC);

/** A template below a derivation parent: instead of a unique value, what it is derived with. */
export const TPMT_TEMPLATE = struct("TPMT_TEMPLATE", {
  type: TPMI_ALG_PUBLIC,
  nameAlg: TPMI_ALG_HASH,
  objectAttributes: TPMA_OBJECT,
  authPolicy: TPM2B_DIGEST,
  parameters: by("type", TPMU_PUBLIC_PARMS),
  unique: TPMS_DERIVE,
});
export const TPM2B_TEMPLATE = tpm2b("TPM2B_TEMPLATE", { holds: [TPMT_PUBLIC, TPMT_TEMPLATE] });

export const TPMU_SENSITIVE_COMPOSITE = union("TPMU_SENSITIVE_COMPOSITE", {
  rsa: [TPM_ALG.RSA, TPM2B_PRIVATE_KEY_RSA],
  ecc: [TPM_ALG.ECC, secret(TPM2B_ECC_PARAMETER)],
  bits: [TPM_ALG.KEYEDHASH, TPM2B_SENSITIVE_DATA],
  sym: [TPM_ALG.SYMCIPHER, TPM2B_SYM_KEY],
});

export const TPMT_SENSITIVE = struct("TPMT_SENSITIVE", {
  sensitiveType: TPMI_ALG_PUBLIC,
  authValue: TPM2B_AUTH,
  seedValue: secret(TPM2B_DIGEST),
  sensitive: by("sensitiveType", TPMU_SENSITIVE_COMPOSITE),
});
export type TPMT_SENSITIVE = Value<typeof TPMT_SENSITIVE>;
export const TPM2B_SENSITIVE = tpm2bOf("TPM2B_SENSITIVE", TPMT_SENSITIVE);

export const TPM2B_PRIVATE = secret(tpm2b("TPM2B_PRIVATE"));

export const TPMS_ID_OBJECT = struct("TPMS_ID_OBJECT", {
  integrityHMAC: TPM2B_DIGEST,
  encIdentity: tpm2b("TPM2B_DIGEST"),
});
export const TPM2B_ID_OBJECT = tpm2b("TPM2B_ID_OBJECT");
