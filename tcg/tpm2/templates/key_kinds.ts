// Kinds of keys with what the TCG's profiles pair them with, and the parts that templates are made
// of. The templates stand beside it, a file for each use.

import { TPM_ALG, TPM_ECC } from "../algorithms.ts";
import type { TPMT_PUBLIC } from "../structures/objects.ts";

/** A kind of keys. */
interface KeyKindData {
  /** Bits of an RSA key, or the curve of an ECC key. */
  readonly size: { readonly rsaBits: number } | { readonly curve: number };
  /** Bytes of the modulus, or of a coordinate. */
  readonly bytes: number;
  /** Names and schemes have this one. */
  readonly hash: number;
  /** The AES key with which a storage key protects others. */
  readonly aesBits: number;
}

const WITH_SHA256 = { hash: TPM_ALG.SHA256, aesBits: 128 };
const WITH_SHA384 = { hash: TPM_ALG.SHA384, aesBits: 256 };
const WITH_SHA512 = { hash: TPM_ALG.SHA512, aesBits: 256 };

export const KEY_KINDS = {
  "RSA 2048": { size: { rsaBits: 2048 }, bytes: 256, ...WITH_SHA256 },
  "RSA 3072": { size: { rsaBits: 3072 }, bytes: 384, ...WITH_SHA384 },
  "RSA 4096": { size: { rsaBits: 4096 }, bytes: 512, ...WITH_SHA384 },
  "ECC P-256": { size: { curve: TPM_ECC.NIST_P256 }, bytes: 32, ...WITH_SHA256 },
  "ECC P-384": { size: { curve: TPM_ECC.NIST_P384 }, bytes: 48, ...WITH_SHA384 },
  "ECC P-521": { size: { curve: TPM_ECC.NIST_P521 }, bytes: 66, ...WITH_SHA512 },
} as const satisfies Readonly<Record<string, KeyKindData>>;

export type KeyKind = keyof typeof KEY_KINDS;

type Scheme = { readonly scheme: number; readonly details: object };

export const NO_SCHEME = { scheme: TPM_ALG.NULL, details: {} };

/** What a template says besides its kind. */
export interface TemplateParts {
  readonly kind: KeyKind;
  readonly objectAttributes: number;
  readonly authPolicy: Uint8Array;
  /** Whether it protects other keys, as a storage key does. */
  readonly storage: boolean;
  readonly scheme?: Scheme;
  /** For an ECC key twice, or once with nothing behind it. */
  readonly unique: readonly [Uint8Array, Uint8Array?];
}

/** A template of a primary key. */
export function template(parts: TemplateParts): TPMT_PUBLIC {
  const { size, hash: nameAlg, aesBits } = KEY_KINDS[parts.kind];
  const { objectAttributes, authPolicy, scheme = NO_SCHEME, unique: [first, second] } = parts;
  const symmetric = parts.storage
    ? { algorithm: TPM_ALG.AES, keyBits: { aes: aesBits }, mode: { aes: TPM_ALG.CFB } }
    : { algorithm: TPM_ALG.NULL, keyBits: {}, mode: {} };
  const general = { nameAlg, objectAttributes, authPolicy };
  if ("rsaBits" in size) {
    const rsaDetail = { symmetric, scheme, keyBits: size.rsaBits, exponent: 0 };
    return { type: TPM_ALG.RSA, ...general, parameters: { rsaDetail }, unique: { rsa: first } };
  }
  const eccDetail = { symmetric, scheme, curveID: size.curve, kdf: NO_SCHEME };
  const ecc = { x: first, y: second ?? first };
  return { type: TPM_ALG.ECC, ...general, parameters: { eccDetail }, unique: { ecc } };
}

/** The bytes of hexadecimal digits. */
export function digest(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
