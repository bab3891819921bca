// Encryption to an RSA key with OAEP and a label, which both TPM versions want and the runtime's
// node:crypto does not have.

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";

/** A public key. */
export interface RsaKey {
  readonly modulus: Uint8Array;
  readonly exponent: number;
}

/** What the padding is made with; MGF1 has the same hash. */
export interface OaepOptions {
  readonly label: Uint8Array;
  readonly hash: (...parts: Uint8Array[]) => Uint8Array;
}

/** Encrypts a message that is short enough for the key. */
export function encryptOaep(key: RsaKey, message: Uint8Array, options: OaepOptions): Uint8Array {
  const size = key.modulus.length;
  const padded = oaep(message, options, size);
  const number = power(toNumber(padded), BigInt(key.exponent), toNumber(key.modulus));
  return toBytes(number, size);
}

/** EME-OAEP (RFC 8017, 7.1.1). */
function oaep(message: Uint8Array, { label, hash }: OaepOptions, size: number): Uint8Array {
  const labelHash = hash(label);
  const block = new Uint8Array(size - labelHash.length - 1);
  block.set(labelHash);
  block[block.length - message.length - 1] = 1;
  block.set(message, block.length - message.length);
  const seed = new Uint8Array(randomBytes(labelHash.length));
  const maskedBlock = xor(block, mgf1(hash, seed, block.length));
  const maskedSeed = xor(seed, mgf1(hash, maskedBlock, seed.length));
  return Uint8Array.of(0, ...maskedSeed, ...maskedBlock);
}

/** A mask of any length (RFC 8017, B.2.1). */
export function mgf1(hash: OaepOptions["hash"], seed: Uint8Array, length: number): Uint8Array {
  const mask = new Uint8Array(length);
  for (let counter = 0, at = 0; at < length; counter++) {
    const part = hash(seed, Uint8Array.of(0, 0, counter >>> 8, counter)).subarray(0, length - at);
    mask.set(part, at);
    at += part.length;
  }
  return mask;
}

function xor(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((byte, index) => byte ^ other[index]!);
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

function toBytes(number: bigint, size: number): Uint8Array {
  return Uint8Array.from(Buffer.from(number.toString(16).padStart(size * 2, "0"), "hex"));
}

/** `base` to the power of `exponent`, modulo `modulus`. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let square = base % modulus; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = result * square % modulus;
    square = square * square % modulus;
  }
  return result;
}
