// What client and TPM calculate alike (Part 1, 11.4 and B, C): digests, HMACs and the key derivation
// functions KDFa and KDFe.

import { Buffer } from "node:buffer";
import { createHash, createHmac, randomBytes as nodeRandomBytes } from "node:crypto";
import { WireError } from "../../wire/codec.ts";
import { digestSize, TPM_ALG } from "./algorithms.ts";

/** Digests by their names in node:crypto; the runtime has no SM3. */
const HASH_NAMES: Readonly<Record<number, string>> = {
  [TPM_ALG.SHA1]: "sha1",
  [TPM_ALG.SHA256]: "sha256",
  [TPM_ALG.SHA384]: "sha384",
  [TPM_ALG.SHA512]: "sha512",
  [TPM_ALG.SHA3_256]: "sha3-256",
  [TPM_ALG.SHA3_384]: "sha3-384",
  [TPM_ALG.SHA3_512]: "sha3-512",
};

function hashName(algorithm: number): string {
  const name = HASH_NAMES[algorithm];
  if (name === undefined) {
    throw new WireError(`0x${algorithm.toString(16)} is no digest that can be made here`);
  }
  return name;
}

/** Bytes of a digest. */
export function hashSize(algorithm: number): number {
  hashName(algorithm);
  return digestSize(algorithm)!;
}

export function digest(algorithm: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash(hashName(algorithm));
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

export function hmac(
  algorithm: number,
  key: Uint8Array,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  const hash = createHmac(hashName(algorithm), Buffer.from(key));
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

export function randomBytes(size: number): Uint8Array {
  return new Uint8Array(nodeRandomBytes(size));
}

/** A number as four bytes. */
export function bigEndian32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** A label with the zero that ends it. */
export function label(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

/** KDFa: `bits` of key, by HMAC in counter mode (SP 800-108). */
export function kdfa(
  algorithm: number,
  key: Uint8Array,
  use: string,
  contextU: Uint8Array,
  contextV: Uint8Array,
  bits: number,
): Uint8Array {
  const tail = [label(use), contextU, contextV, bigEndian32(bits)];
  return derive(bits, (counter) => hmac(algorithm, key, bigEndian32(counter), ...tail));
}

/** KDFe: `bits` of key from a shared secret `z` and both parties' x coordinates (SP 800-56A). */
export function kdfe(
  algorithm: number,
  z: Uint8Array,
  use: string,
  partyU: Uint8Array,
  partyV: Uint8Array,
  bits: number,
): Uint8Array {
  const tail = [z, label(use), partyU, partyV];
  return derive(bits, (counter) => digest(algorithm, bigEndian32(counter), ...tail));
}

function derive(bits: number, block: (counter: number) => Uint8Array): Uint8Array {
  const key = new Uint8Array(bits / 8);
  let filled = 0;
  for (let counter = 1; filled < key.length; counter++) {
    const part = block(counter).subarray(0, key.length - filled);
    key.set(part, filled);
    filled += part.length;
  }
  return key;
}
