// A secret that only the TPM with a certain key can read (Part 1, B.10.2 and C.6.1): by RSA with
// OAEP, or by an ephemeral key on the key's curve.

import { Buffer } from "node:buffer";
import { createECDH } from "node:crypto";
import { WireError } from "../../../wire/codec.ts";
import { encode } from "../../kernel/codec.ts";
import { encryptOaep } from "../../kernel/oaep.ts";
import { TPM_ALG, TPM_ECC } from "../algorithms.ts";
import { digest, hashSize, kdfe, label, randomBytes } from "../cryptography.ts";
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
  const hash = (...parts: Uint8Array[]) => digest(key.nameAlg, ...parts);
  return {
    secret,
    encrypted: encryptOaep({ modulus, exponent }, secret, { label: label(use), hash }),
  };
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
