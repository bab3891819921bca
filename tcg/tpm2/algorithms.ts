// Algorithms and curves by their numbers, and the subsets that interface types allow (Part 2, 6.3,
// 6.4 and 9). Numbers that are not listed are kept: newer TPMs and clients know more.

import { constants, type ConstantsCodec } from "../kernel/numbers.ts";
import { u16 } from "../kernel/codec.ts";

/** Part 2, 6.3, and the TCG Algorithm Registry. */
export const TPM_ALG = {
  ERROR: 0x0000,
  RSA: 0x0001,
  TDES: 0x0003,
  SHA1: 0x0004,
  HMAC: 0x0005,
  AES: 0x0006,
  MGF1: 0x0007,
  KEYEDHASH: 0x0008,
  XOR: 0x000a,
  SHA256: 0x000b,
  SHA384: 0x000c,
  SHA512: 0x000d,
  SHA256_192: 0x000e,
  NULL: 0x0010,
  SM3_256: 0x0012,
  SM4: 0x0013,
  RSASSA: 0x0014,
  RSAES: 0x0015,
  RSAPSS: 0x0016,
  OAEP: 0x0017,
  ECDSA: 0x0018,
  ECDH: 0x0019,
  ECDAA: 0x001a,
  SM2: 0x001b,
  ECSCHNORR: 0x001c,
  ECMQV: 0x001d,
  KDF1_SP800_56A: 0x0020,
  KDF2: 0x0021,
  KDF1_SP800_108: 0x0022,
  ECC: 0x0023,
  SYMCIPHER: 0x0025,
  CAMELLIA: 0x0026,
  SHA3_256: 0x0027,
  SHA3_384: 0x0028,
  SHA3_512: 0x0029,
  SHAKE128: 0x002a,
  SHAKE256: 0x002b,
  CMAC: 0x003f,
  CTR: 0x0040,
  OFB: 0x0041,
  CBC: 0x0042,
  CFB: 0x0043,
  ECB: 0x0044,
  CCM: 0x0050,
  GCM: 0x0051,
  KW: 0x0052,
  KWP: 0x0053,
  EAX: 0x0054,
  EDDSA: 0x0060,
  HASH_EDDSA: 0x0061,
} as const;

/** Part 2, 6.4. */
export const TPM_ECC = {
  NONE: 0x0000,
  NIST_P192: 0x0001,
  NIST_P224: 0x0002,
  NIST_P256: 0x0003,
  NIST_P384: 0x0004,
  NIST_P521: 0x0005,
  BN_P256: 0x0010,
  BN_P638: 0x0011,
  SM2_P256: 0x0020,
  BP_P256_R1: 0x0030,
  BP_P384_R1: 0x0031,
  BP_P512_R1: 0x0032,
  CURVE_25519: 0x0040,
  CURVE_448: 0x0041,
} as const;

/** Bytes of a digest, by its algorithm. */
export const DIGEST_SIZES = {
  [TPM_ALG.SHA1]: 20,
  [TPM_ALG.SHA256]: 32,
  [TPM_ALG.SHA384]: 48,
  [TPM_ALG.SHA512]: 64,
  [TPM_ALG.SHA256_192]: 24,
  [TPM_ALG.SM3_256]: 32,
  [TPM_ALG.SHA3_256]: 32,
  [TPM_ALG.SHA3_384]: 48,
  [TPM_ALG.SHA3_512]: 64,
} as const satisfies Readonly<Record<number, number>>;

/** Bytes of a digest of the algorithm; undefined where it is none that is known. */
export function digestSize(algorithm: number): number | undefined {
  return (DIGEST_SIZES as Readonly<Record<number, number>>)[algorithm];
}

/** An interface type of algorithms; which ones it allows is the TPM's affair. */
function algorithms(type: string): ConstantsCodec {
  return constants(type, u16, TPM_ALG);
}

export const TPM_ALG_ID = algorithms("TPM_ALG_ID");
export const TPMI_ALG_HASH = algorithms("TPMI_ALG_HASH");
export const TPMI_ALG_ASYM = algorithms("TPMI_ALG_ASYM");
export const TPMI_ALG_SYM = algorithms("TPMI_ALG_SYM");
export const TPMI_ALG_SYM_OBJECT = algorithms("TPMI_ALG_SYM_OBJECT");
export const TPMI_ALG_SYM_MODE = algorithms("TPMI_ALG_SYM_MODE");
export const TPMI_ALG_CIPHER_MODE = algorithms("TPMI_ALG_CIPHER_MODE");
export const TPMI_ALG_KDF = algorithms("TPMI_ALG_KDF");
export const TPMI_ALG_SIG_SCHEME = algorithms("TPMI_ALG_SIG_SCHEME");
export const TPMI_ALG_MAC_SCHEME = algorithms("TPMI_ALG_MAC_SCHEME");
export const TPMI_ALG_KEYEDHASH_SCHEME = algorithms("TPMI_ALG_KEYEDHASH_SCHEME");
export const TPMI_ALG_ASYM_SCHEME = algorithms("TPMI_ALG_ASYM_SCHEME");
export const TPMI_ALG_RSA_SCHEME = algorithms("TPMI_ALG_RSA_SCHEME");
export const TPMI_ALG_RSA_DECRYPT = algorithms("TPMI_ALG_RSA_DECRYPT");
export const TPMI_ALG_ECC_SCHEME = algorithms("TPMI_ALG_ECC_SCHEME");
export const TPMI_ALG_PUBLIC = algorithms("TPMI_ALG_PUBLIC");
export const TPMI_ECC_KEY_EXCHANGE = algorithms("TPMI_ECC_KEY_EXCHANGE");

export const TPM_ECC_CURVE = constants("TPM_ECC_CURVE", u16, TPM_ECC);
export const TPMI_ECC_CURVE = constants("TPMI_ECC_CURVE", u16, TPM_ECC);
