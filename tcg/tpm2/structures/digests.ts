// Digests, names and other byte strings (Part 2, 10.2 to 10.5). What users give a TPM or get from
// it, as data to be hashed, encrypted or stored, is their secret.

import { fixedBytes, secret } from "../../kernel/bytes.ts";
import type { Codec, Value } from "../../kernel/codec.ts";
import { by, struct, union } from "../../kernel/struct.ts";
import { DIGEST_SIZES, TPM_ALG, TPMI_ALG_HASH } from "../algorithms.ts";
import { tpm2b } from "../types.ts";

function digestOf(type: string, algorithm: keyof typeof DIGEST_SIZES): Codec<Uint8Array> {
  return fixedBytes(type, DIGEST_SIZES[algorithm], { role: "digest" });
}

export const TPMU_HA = union("TPMU_HA", {
  sha1: [TPM_ALG.SHA1, digestOf("SHA-1 digest", TPM_ALG.SHA1)],
  sha256: [TPM_ALG.SHA256, digestOf("SHA-256 digest", TPM_ALG.SHA256)],
  sha384: [TPM_ALG.SHA384, digestOf("SHA-384 digest", TPM_ALG.SHA384)],
  sha512: [TPM_ALG.SHA512, digestOf("SHA-512 digest", TPM_ALG.SHA512)],
  sha256_192: [TPM_ALG.SHA256_192, digestOf("SHA-256/192 digest", TPM_ALG.SHA256_192)],
  sm3_256: [TPM_ALG.SM3_256, digestOf("SM3-256 digest", TPM_ALG.SM3_256)],
  sha3_256: [TPM_ALG.SHA3_256, digestOf("SHA3-256 digest", TPM_ALG.SHA3_256)],
  sha3_384: [TPM_ALG.SHA3_384, digestOf("SHA3-384 digest", TPM_ALG.SHA3_384)],
  sha3_512: [TPM_ALG.SHA3_512, digestOf("SHA3-512 digest", TPM_ALG.SHA3_512)],
}, { empty: [TPM_ALG.NULL] });

export const TPMT_HA = struct("TPMT_HA", {
  hashAlg: TPMI_ALG_HASH,
  digest: by("hashAlg", TPMU_HA),
});
export type TPMT_HA = Value<typeof TPMT_HA>;

export const TPM2B_DIGEST = tpm2b("TPM2B_DIGEST", { role: "digest" });
export const TPM2B_DATA = tpm2b("TPM2B_DATA");
export const TPM2B_NONCE = tpm2b("TPM2B_NONCE");
export const TPM2B_AUTH = secret(tpm2b("TPM2B_AUTH"));
export const TPM2B_OPERAND = tpm2b("TPM2B_OPERAND");
export const TPM2B_EVENT = tpm2b("TPM2B_EVENT");
export const TPM2B_MAX_BUFFER = secret(tpm2b("TPM2B_MAX_BUFFER"));
export const TPM2B_MAX_NV_BUFFER = secret(tpm2b("TPM2B_MAX_NV_BUFFER"));
export const TPM2B_TIMEOUT = tpm2b("TPM2B_TIMEOUT");
export const TPM2B_IV = tpm2b("TPM2B_IV");
/** A handle, or an algorithm and a digest by it (Part 1, 16). */
export const TPM2B_NAME = tpm2b("TPM2B_NAME", { role: "name" });
