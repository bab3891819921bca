// The kinds of keys that swtpm_setup makes, by the names its options have for them.
import type { EkTemplate } from "../../tcg/tpm2/templates/endorsement.ts";
import type { KeyKind } from "../../tcg/tpm2/templates/key_kinds.ts";
import { EK_PLACES } from "../../tcg/tpm2/reserved_handles.ts";

export interface KeyAlgorithm {
  readonly kind: KeyKind;
  /** The template of an EK of this kind. */
  readonly profile: EkTemplate;
  /** What messages call it. */
  readonly title: string;
  /** What files with its certificates are called after. */
  readonly fileName: string;
  /** swtpm_cert's name for its curve. */
  readonly curve?: string;
  /** RSA keys' size. */
  readonly bits?: number;
  /** NV index for the template of an EK that signs. */
  readonly templateIndex: number;
}

const rsa = (bits: 2048 | 3072 | 4096, profile: "L-1" | "H-6" | "H-7"): KeyAlgorithm => ({
  kind: `RSA ${bits}`,
  profile,
  title: `RSA ${bits}`,
  fileName: `rsa${bits}`,
  bits,
  templateIndex: EK_PLACES[profile].template,
});

const ecc = (
  curve: string,
  kind: KeyKind,
  profile: "L-2" | "H-3" | "H-4",
  templateIndex: number = EK_PLACES[profile].template,
  title: string = curve,
): KeyAlgorithm => ({ kind, profile, title, fileName: curve, curve, templateIndex });

const RSA_2048 = rsa(2048, "L-1");
const RSA_3072 = rsa(3072, "H-6");
const RSA_4096 = rsa(4096, "H-7");
// The C program's index for the template; the TCG's profile has another key's nonce there.
const P256 = ecc("secp256r1", "ECC P-256", "L-2", EK_PLACES["L-2"].nonce);
// Messages call it as the C program did when there was no other.
const P384 = ecc("secp384r1", "ECC P-384", "H-3", EK_PLACES["H-3"].template, "ECC");
const P521 = ecc("secp521r1", "ECC P-521", "H-4");

/** By name; each curve has two. */
const ALGORITHMS: Readonly<Record<string, KeyAlgorithm>> = {
  rsa2048: RSA_2048,
  rsa3072: RSA_3072,
  rsa4096: RSA_4096,
  ecc_nist_p256: P256,
  secp256r1: P256,
  ecc_nist_p384: P384,
  secp384r1: P384,
  ecc_nist_p521: P521,
  secp521r1: P521,
};

export const DEFAULT_EK1 = "rsa2048";
export const DEFAULT_EK2 = "secp384r1";

/** Undefined for a name that is none. */
export function keyAlgorithm(name: string): KeyAlgorithm | undefined {
  const lower = name.toLowerCase();
  return Object.hasOwn(ALGORITHMS, lower) ? ALGORITHMS[lower] : undefined;
}
