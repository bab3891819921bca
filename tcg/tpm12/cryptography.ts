// What client and TPM calculate alike (Part 1, 13): SHA-1, HMACs with it, and XOR.

import { Buffer } from "node:buffer";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { DIGEST_SIZE } from "./types.ts";

export function sha1(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

export function hmacSha1(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHmac("sha1", Buffer.from(key));
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

export function newNonce(): Uint8Array {
  return new Uint8Array(randomBytes(DIGEST_SIZE));
}

export function xor(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((byte, index) => byte ^ other[index]!);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
