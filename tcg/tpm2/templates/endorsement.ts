// Templates of endorsement keys (TCG EK Credential Profile, B.3 and B.4): L of the low range, H of
// the high one; and those with which swtpm_setup lets EKs sign. SM2 is not among them, as libtpms
// does not have it.

import { TPM_ALG } from "../algorithms.ts";
import { TPMA_OBJECT } from "../attributes.ts";
import type { EkProfile } from "../reserved_handles.ts";
import type { TPMT_PUBLIC } from "../structures/objects.ts";
import { digest, KEY_KINDS, type KeyKind, template } from "./key_kinds.ts";

/** TPM2_PolicySecret(endorsement). */
export const POLICY_A = {
  [TPM_ALG.SHA256]: digest("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"),
};

/** Policy A, or whatever policy the index I-1, I-2 or I-3 holds. */
export const POLICY_B = {
  [TPM_ALG.SHA256]: digest("ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0"),
  [TPM_ALG.SHA384]: digest(
    "b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12",
  ),
  [TPM_ALG.SHA512]: digest(
    "b8221ca69e8550a4914de3faa6a18c072cc01208073a928d5d66d59ef79e49a4" +
      "29c41a6b269571d57edb25fbdb1838425608b413cd616a5f6db5b6071af99bea",
  ),
};

/** All templates but that for SM2. */
export type EkTemplate = Exclude<EkProfile, "H-5">;

const KINDS = {
  "L-1": "RSA 2048",
  "L-2": "ECC P-256",
  "H-1": "RSA 2048",
  "H-2": "ECC P-256",
  "H-3": "ECC P-384",
  "H-4": "ECC P-521",
  "H-6": "RSA 3072",
  "H-7": "RSA 4096",
} as const satisfies Readonly<Record<EkTemplate, KeyKind>>;

/** What the key may be used for; one that signs protects no other keys. */
export type EkUse = "storage" | "sign" | "sign and decrypt";

const LOW = TPMA_OBJECT.of("fixedTPM", "fixedParent", "sensitiveDataOrigin", "adminWithPolicy");
const HIGH = LOW | TPMA_OBJECT.of("userWithAuth");

const USES: Readonly<Record<EkUse, number>> = {
  "storage": TPMA_OBJECT.of("restricted", "decrypt"),
  "sign": TPMA_OBJECT.of("sign"),
  "sign and decrypt": TPMA_OBJECT.of("sign", "decrypt"),
};

/** The template of an endorsement key. */
export function ekTemplate(profile: EkTemplate, use: EkUse = "storage"): TPMT_PUBLIC {
  const kind = KINDS[profile];
  const isLow = profile === "L-1" || profile === "L-2";
  return template({
    kind,
    objectAttributes: (isLow ? LOW : HIGH) | USES[use],
    authPolicy: isLow ? POLICY_A[TPM_ALG.SHA256] : POLICY_B[KEY_KINDS[kind].hash],
    storage: use === "storage",
    unique: [new Uint8Array(isLow ? KEY_KINDS[kind].bytes : 0)],
  });
}
