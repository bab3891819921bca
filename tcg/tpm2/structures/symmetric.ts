// Symmetric algorithms, keys and what is sealed (Part 2, 11.1).

import { secret } from "../../kernel/bytes.ts";
import { u16, type Value } from "../../kernel/codec.ts";
import { by, struct, union } from "../../kernel/struct.ts";
import {
  TPM_ALG,
  TPMI_ALG_HASH,
  TPMI_ALG_KDF,
  TPMI_ALG_KEYEDHASH_SCHEME,
  TPMI_ALG_SYM,
  TPMI_ALG_SYM_MODE,
  TPMI_ALG_SYM_OBJECT,
} from "../algorithms.ts";
import { tpm2b, tpm2bOf } from "../types.ts";
import { TPM2B_AUTH } from "./digests.ts";

export const TPMU_SYM_KEY_BITS = union("TPMU_SYM_KEY_BITS", {
  tdes: [TPM_ALG.TDES, u16],
  aes: [TPM_ALG.AES, u16],
  sm4: [TPM_ALG.SM4, u16],
  camellia: [TPM_ALG.CAMELLIA, u16],
  xor: [TPM_ALG.XOR, TPMI_ALG_HASH],
}, { empty: [TPM_ALG.NULL] });

export const TPMU_SYM_MODE = union("TPMU_SYM_MODE", {
  tdes: [TPM_ALG.TDES, TPMI_ALG_SYM_MODE],
  aes: [TPM_ALG.AES, TPMI_ALG_SYM_MODE],
  sm4: [TPM_ALG.SM4, TPMI_ALG_SYM_MODE],
  camellia: [TPM_ALG.CAMELLIA, TPMI_ALG_SYM_MODE],
}, { empty: [TPM_ALG.XOR, TPM_ALG.NULL] });

export const TPMT_SYM_DEF = struct("TPMT_SYM_DEF", {
  algorithm: TPMI_ALG_SYM,
  keyBits: by("algorithm", TPMU_SYM_KEY_BITS),
  mode: by("algorithm", TPMU_SYM_MODE),
});
export type TPMT_SYM_DEF = Value<typeof TPMT_SYM_DEF>;

export const TPMT_SYM_DEF_OBJECT = struct("TPMT_SYM_DEF_OBJECT", {
  algorithm: TPMI_ALG_SYM_OBJECT,
  keyBits: by("algorithm", TPMU_SYM_KEY_BITS),
  mode: by("algorithm", TPMU_SYM_MODE),
});

export const TPM2B_SYM_KEY = secret(tpm2b("TPM2B_SYM_KEY"));
export const TPMS_SYMCIPHER_PARMS = struct("TPMS_SYMCIPHER_PARMS", { sym: TPMT_SYM_DEF_OBJECT });

export const TPM2B_LABEL = tpm2b("TPM2B_LABEL");
export const TPMS_DERIVE = struct("TPMS_DERIVE", { label: TPM2B_LABEL, context: TPM2B_LABEL });

export const TPM2B_SENSITIVE_DATA = secret(tpm2b("TPM2B_SENSITIVE_DATA"));
export const TPMS_SENSITIVE_CREATE = struct("TPMS_SENSITIVE_CREATE", {
  userAuth: TPM2B_AUTH,
  data: TPM2B_SENSITIVE_DATA,
});
export const TPM2B_SENSITIVE_CREATE = tpm2bOf("TPM2B_SENSITIVE_CREATE", TPMS_SENSITIVE_CREATE);

export const TPMS_SCHEME_HASH = struct("TPMS_SCHEME_HASH", { hashAlg: TPMI_ALG_HASH });
export const TPMS_SCHEME_ECDAA = struct("TPMS_SCHEME_ECDAA", {
  hashAlg: TPMI_ALG_HASH,
  count: u16,
});
export const TPMS_SCHEME_XOR = struct("TPMS_SCHEME_XOR", {
  hashAlg: TPMI_ALG_HASH,
  kdf: TPMI_ALG_KDF,
});

export const TPMU_SCHEME_KEYEDHASH = union("TPMU_SCHEME_KEYEDHASH", {
  hmac: [TPM_ALG.HMAC, TPMS_SCHEME_HASH],
  xor: [TPM_ALG.XOR, TPMS_SCHEME_XOR],
}, { empty: [TPM_ALG.NULL] });

export const TPMT_KEYEDHASH_SCHEME = struct("TPMT_KEYEDHASH_SCHEME", {
  scheme: TPMI_ALG_KEYEDHASH_SCHEME,
  details: by("scheme", TPMU_SCHEME_KEYEDHASH),
});
