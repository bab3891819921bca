// A secret that only the TPM with a certain key can read (Part 1, B.10.2 and C.6.1): by RSA with
// OAEP, or by an ephemeral key on the key's curve.

import { Buffer } from "node:buffer";
import { createECDH } from "node:crypto";
import { WireError } from "../../../wire/codec.ts";
import { encode } from "../../kernel/codec.ts";
import { TPM_ALG, TPM_ECC } from "../algorithms.ts";
import { bigEndian32, digest, hashSize, kdfe, label, randomBytes } from "../cryptography.ts";
import { TPMS_ECC_POINT } from "../structures/asymmetric.ts";
import type { TPMT_PUBLIC } from "../structures/objects.ts";

/** The runtime's node:crypto has no P-521. */
const CURVES: Readonly<Record<number, { readonly name: string; readonly size: number }>> = {
  [TPM_ECC.NIST_P256]: { name: "prime256v1", size: 32 },
  [TPM_ECC.NIST_P384]: { name: "secp384r1", size: 48 },
};
const DEFAULT_EXPONENT = 65537;

/** A secret and its encrypted form, TPM2B_ENCRYPTED_SECRET. */
export interface EncryptedSecret {
  readonly secret: Uint8Array;
  readonly encrypted: Uint8Array;
}

/** Makes a secret for the holder of `key`; `use` is "SECRET", "DUPLICATE" or "IDENTITY". */
export function encryptSecret(key: TPMT_PUBLIC, use: string): EncryptedSecret {
  if (key.type === TPM_ALG.RSA) return byRsa(key, use);
  if (key.type === TPM_ALG.ECC) return byEcc(key, use);
  throw new WireError(`a key of type 0x${key.type.toString(16)} encrypts no secret`);
}

function byRsa(key: TPMT_PUBLIC, use: string): EncryptedSecret {
  const modulus = key.unique.rsa!;
  const exponent = key.parameters.rsaDetail!.exponent || DEFAULT_EXPONENT;
  const secret = randomBytes(hashSize(key.nameAlg));
  const padded = oaep(key.nameAlg, secret, label(use), modulus.length);
  const number = power(toNumber(padded), BigInt(exponent), toNumber(modulus));
  return { secret, encrypted: toBytes(number, modulus.length) };
}

/** EME-OAEP (RFC 8017, 7.1.1), with the same digest for MGF1. */
function oaep(hash: number, message: Uint8Array, use: Uint8Array, size: number): Uint8Array {
  const hashLength = hashSize(hash);
  const block = new Uint8Array(size - hashLength - 1);
  block.set(digest(hash, use));
  block[block.length - message.length - 1] = 1;
  block.set(message, block.length - message.length);
  const seed = randomBytes(hashLength);
  const maskedBlock = xor(block, mgf1(hash, seed, block.length));
  return Uint8Array.of(0, ...xor(seed, mgf1(hash, maskedBlock, hashLength)), ...maskedBlock);
}

function mgf1(hash: number, seed: Uint8Array, length: number): Uint8Array {
  const mask = new Uint8Array(length);
  for (let counter = 0, at = 0; at < length; counter++) {
    const part = digest(hash, seed, bigEndian32(counter)).subarray(0, length - at);
    mask.set(part, at);
    at += part.length;
  }
  return mask;
}

function xor(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((byte, index) => byte ^ other[index]!);
}

function byEcc(key: TPMT_PUBLIC, use: string): EncryptedSecret {
  const curve = CURVES[key.parameters.eccDetail!.curveID];
  if (curve === undefined) throw new WireError("no secret can be encrypted on the key's curve");
  const { x, y } = key.unique.ecc!;
  const ecdh = createECDH(curve.name);
  const own = new Uint8Array(ecdh.generateKeys());
  const ephemeral = {
    x: own.slice(1, 1 + curve.size),
    y: own.slice(1 + curve.size),
  };
  const theirs = Uint8Array.of(4, ...pad(x, curve.size), ...pad(y, curve.size));
  const z = pad(new Uint8Array(ecdh.computeSecret(Buffer.from(theirs))), curve.size);
  const bits = hashSize(key.nameAlg) * 8;
  return {
    secret: kdfe(key.nameAlg, z, use, ephemeral.x, pad(x, curve.size), bits),
    encrypted: encode(TPMS_ECC_POINT, ephemeral),
  };
}

function pad(bytes: Uint8Array, size: number): Uint8Array {
  const padded = new Uint8Array(size);
  padded.set(bytes, size - bytes.length);
  return padded;
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
