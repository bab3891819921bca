// Who signs certificates, and how a private key in PEM does. One in a token is pkcs11_signer.ts's.
import { type KeyObject, sign } from "node:crypto";
import { encode, none, oid, sequence } from "./der.ts";
import { readPrivateKey } from "./encrypted_key.ts";

/** The hash of a signature that needs one. TPM 1.2 has certificates signed by RSA and SHA-1. */
export type SignatureHash = "sha1" | "sha256";

/** Signs for one key. */
export interface Signer {
  /** AlgorithmIdentifier of its signatures, DER. */
  readonly algorithm: Uint8Array;
  sign(bytes: Uint8Array): Uint8Array;
}

const RSA_SHA1 = "1.2.840.113549.1.1.5";
const RSA_SHA256 = "1.2.840.113549.1.1.11";
const ECDSA_SHA256 = "1.2.840.10045.4.3.2";
const ED25519 = "1.3.101.112";
const ED448 = "1.3.101.113";

/** AlgorithmIdentifier of a signature (RFC 3279, 5758, 8410). Throws where there is none. */
export function signatureAlgorithm(
  keyType: string | undefined,
  hash: SignatureHash,
): Uint8Array<ArrayBuffer> {
  if (keyType === "rsa") {
    return encode(sequence(oid(hash === "sha1" ? RSA_SHA1 : RSA_SHA256), none()));
  }
  if (hash === "sha1") throw new Error("a certificate for a TPM 1.2 is signed by an RSA key");
  switch (keyType) {
    case "ec":
      return encode(sequence(oid(ECDSA_SHA256)));
    case "ed25519":
      return encode(sequence(oid(ED25519)));
    case "ed448":
      return encode(sequence(oid(ED448)));
    default:
      throw new Error(`a key of the kind '${keyType}' signs no certificates`);
  }
}

/** Signs with a key in PEM; `password` opens an encrypted one. Throws where it cannot be read. */
export function pemSigner(
  text: string,
  password: string | undefined,
  hash: SignatureHash,
): Signer {
  return keySigner(readPrivateKey(text, password), hash);
}

export function keySigner(key: KeyObject, hash: SignatureHash): Signer {
  const algorithm = signatureAlgorithm(key.asymmetricKeyType, hash);
  const hashes = key.asymmetricKeyType === "rsa" || key.asymmetricKeyType === "ec";
  return { algorithm, sign: (bytes) => sign(hashes ? hash : null, bytes, key) };
}
