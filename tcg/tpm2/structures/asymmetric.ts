// Schemes, keys and points of asymmetric algorithms, and signatures (Part 2, 11.2 and 11.3).

import { secret } from "../../kernel/bytes.ts";
import { u16, type Value } from "../../kernel/codec.ts";
import { by, struct, union } from "../../kernel/struct.ts";
import {
  TPM_ALG,
  TPM_ECC_CURVE,
  TPMI_ALG_ASYM_SCHEME,
  TPMI_ALG_ECC_SCHEME,
  TPMI_ALG_HASH,
  TPMI_ALG_KDF,
  TPMI_ALG_RSA_DECRYPT,
  TPMI_ALG_RSA_SCHEME,
  TPMI_ALG_SIG_SCHEME,
} from "../algorithms.ts";
import { tpm2b, tpm2bOf } from "../types.ts";
import { TPMT_HA } from "./digests.ts";
import { TPMS_SCHEME_ECDAA, TPMS_SCHEME_HASH } from "./symmetric.ts";

export const TPMU_SIG_SCHEME = union("TPMU_SIG_SCHEME", {
  rsassa: [TPM_ALG.RSASSA, TPMS_SCHEME_HASH],
  rsapss: [TPM_ALG.RSAPSS, TPMS_SCHEME_HASH],
  ecdsa: [TPM_ALG.ECDSA, TPMS_SCHEME_HASH],
  ecdaa: [TPM_ALG.ECDAA, TPMS_SCHEME_ECDAA],
  sm2: [TPM_ALG.SM2, TPMS_SCHEME_HASH],
  ecschnorr: [TPM_ALG.ECSCHNORR, TPMS_SCHEME_HASH],
  hmac: [TPM_ALG.HMAC, TPMS_SCHEME_HASH],
}, { empty: [TPM_ALG.NULL] });

export const TPMT_SIG_SCHEME = struct("TPMT_SIG_SCHEME", {
  scheme: TPMI_ALG_SIG_SCHEME,
  details: by("scheme", TPMU_SIG_SCHEME),
});

export const TPMU_KDF_SCHEME = union("TPMU_KDF_SCHEME", {
  mgf1: [TPM_ALG.MGF1, TPMS_SCHEME_HASH],
  kdf1_sp800_56a: [TPM_ALG.KDF1_SP800_56A, TPMS_SCHEME_HASH],
  kdf2: [TPM_ALG.KDF2, TPMS_SCHEME_HASH],
  kdf1_sp800_108: [TPM_ALG.KDF1_SP800_108, TPMS_SCHEME_HASH],
}, { empty: [TPM_ALG.NULL] });

export const TPMT_KDF_SCHEME = struct("TPMT_KDF_SCHEME", {
  scheme: TPMI_ALG_KDF,
  details: by("scheme", TPMU_KDF_SCHEME),
});

/** RSAES has nothing to say of itself. */
export const TPMU_ASYM_SCHEME = union("TPMU_ASYM_SCHEME", {
  ecdh: [TPM_ALG.ECDH, TPMS_SCHEME_HASH],
  ecmqv: [TPM_ALG.ECMQV, TPMS_SCHEME_HASH],
  rsassa: [TPM_ALG.RSASSA, TPMS_SCHEME_HASH],
  rsapss: [TPM_ALG.RSAPSS, TPMS_SCHEME_HASH],
  ecdsa: [TPM_ALG.ECDSA, TPMS_SCHEME_HASH],
  ecdaa: [TPM_ALG.ECDAA, TPMS_SCHEME_ECDAA],
  sm2: [TPM_ALG.SM2, TPMS_SCHEME_HASH],
  ecschnorr: [TPM_ALG.ECSCHNORR, TPMS_SCHEME_HASH],
  oaep: [TPM_ALG.OAEP, TPMS_SCHEME_HASH],
}, { empty: [TPM_ALG.RSAES, TPM_ALG.NULL] });

export const TPMT_ASYM_SCHEME = struct("TPMT_ASYM_SCHEME", {
  scheme: TPMI_ALG_ASYM_SCHEME,
  details: by("scheme", TPMU_ASYM_SCHEME),
});
export const TPMT_RSA_SCHEME = struct("TPMT_RSA_SCHEME", {
  scheme: TPMI_ALG_RSA_SCHEME,
  details: by("scheme", TPMU_ASYM_SCHEME),
});
export const TPMT_RSA_DECRYPT = struct("TPMT_RSA_DECRYPT", {
  scheme: TPMI_ALG_RSA_DECRYPT,
  details: by("scheme", TPMU_ASYM_SCHEME),
});
export const TPMT_ECC_SCHEME = struct("TPMT_ECC_SCHEME", {
  scheme: TPMI_ALG_ECC_SCHEME,
  details: by("scheme", TPMU_ASYM_SCHEME),
});

export const TPM2B_PUBLIC_KEY_RSA = tpm2b("TPM2B_PUBLIC_KEY_RSA", { role: "key" });
export const TPM2B_PRIVATE_KEY_RSA = secret(tpm2b("TPM2B_PRIVATE_KEY_RSA", { role: "key" }));

export const TPM2B_ECC_PARAMETER = tpm2b("TPM2B_ECC_PARAMETER", { role: "key" });
export const TPMS_ECC_POINT = struct("TPMS_ECC_POINT", {
  x: TPM2B_ECC_PARAMETER,
  y: TPM2B_ECC_PARAMETER,
});
export const TPM2B_ECC_POINT = tpm2bOf("TPM2B_ECC_POINT", TPMS_ECC_POINT);

export const TPMS_ALGORITHM_DETAIL_ECC = struct("TPMS_ALGORITHM_DETAIL_ECC", {
  curveID: TPM_ECC_CURVE,
  keySize: u16,
  kdf: TPMT_KDF_SCHEME,
  sign: TPMT_ECC_SCHEME,
  p: TPM2B_ECC_PARAMETER,
  a: TPM2B_ECC_PARAMETER,
  b: TPM2B_ECC_PARAMETER,
  gX: TPM2B_ECC_PARAMETER,
  gY: TPM2B_ECC_PARAMETER,
  n: TPM2B_ECC_PARAMETER,
  h: TPM2B_ECC_PARAMETER,
});

export const TPMS_SIGNATURE_RSA = struct("TPMS_SIGNATURE_RSA", {
  hash: TPMI_ALG_HASH,
  sig: TPM2B_PUBLIC_KEY_RSA,
});
export const TPMS_SIGNATURE_ECC = struct("TPMS_SIGNATURE_ECC", {
  hash: TPMI_ALG_HASH,
  signatureR: TPM2B_ECC_PARAMETER,
  signatureS: TPM2B_ECC_PARAMETER,
});

export const TPMU_SIGNATURE = union("TPMU_SIGNATURE", {
  rsassa: [TPM_ALG.RSASSA, TPMS_SIGNATURE_RSA],
  rsapss: [TPM_ALG.RSAPSS, TPMS_SIGNATURE_RSA],
  ecdsa: [TPM_ALG.ECDSA, TPMS_SIGNATURE_ECC],
  ecdaa: [TPM_ALG.ECDAA, TPMS_SIGNATURE_ECC],
  sm2: [TPM_ALG.SM2, TPMS_SIGNATURE_ECC],
  ecschnorr: [TPM_ALG.ECSCHNORR, TPMS_SIGNATURE_ECC],
  /** Its key is a secret of users, who may have chosen one that can be guessed. */
  hmac: [TPM_ALG.HMAC, secret(TPMT_HA)],
}, { empty: [TPM_ALG.NULL] });

export const TPMT_SIGNATURE = struct("TPMT_SIGNATURE", {
  sigAlg: TPMI_ALG_SIG_SCHEME,
  signature: by("sigAlg", TPMU_SIGNATURE),
});
export type TPMT_SIGNATURE = Value<typeof TPMT_SIGNATURE>;

/** Encrypted to a key: for RSA a ciphertext, for ECC a point. */
export const TPM2B_ENCRYPTED_SECRET = tpm2b("TPM2B_ENCRYPTED_SECRET");
