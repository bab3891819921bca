// Who signs certificates, and how a private key in PEM does. One in a token is pkcs11_signer.ts's, one
// that the runtime does not sign with libcrypto_signer.ts's.
import { Buffer } from "node:buffer";
import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import type { Files } from "../../ffi/files.ts";
import { type Asn1, encode, none, oid, oidOf, parse, partsOf, sequence } from "./der.ts";
import { readPrivateKey } from "./encrypted_key.ts";

/** The hash of a signature that needs one; TPM 1.2 has certificates signed by SHA-1. */
export type SignatureHash = "sha1" | "sha256";

/** Signs for one key. */
export interface Signer {
  /** AlgorithmIdentifier of its signatures, DER. */
  readonly algorithm: Uint8Array;
  sign(bytes: Uint8Array<ArrayBuffer>): Uint8Array;
}

const RSA_SHA1 = "1.2.840.113549.1.1.5";
const RSA_SHA256 = "1.2.840.113549.1.1.11";
const ECDSA_SHA1 = "1.2.840.10045.4.1";
const ECDSA_SHA256 = "1.2.840.10045.4.3.2";
/** P-256 and P-384. */
const RUNTIME_CURVES = ["1.2.840.10045.3.1.7", "1.3.132.0.34"];

/** Kinds of keys by the algorithm that they are for (RFC 3279, 4055, 8410, 9881). */
const KEY_KINDS = {
  "1.2.840.113549.1.1.1": "rsa",
  "1.2.840.113549.1.1.10": "rsa-pss",
  "1.2.840.10045.2.1": "ec",
  "1.3.101.112": "ed25519",
  "1.3.101.113": "ed448",
  "2.16.840.1.101.3.4.3.17": "ml-dsa-44",
  "2.16.840.1.101.3.4.3.18": "ml-dsa-65",
  "2.16.840.1.101.3.4.3.19": "ml-dsa-87",
} as const;
export type KeyKind = typeof KEY_KINDS[keyof typeof KEY_KINDS];

/** A private key before it was looked at. */
export interface UnreadKey {
  readonly kind: KeyKind;
  /** Of its algorithm: a curve, what PSS is to be like. */
  readonly parameters: Asn1 | undefined;
  /** PKCS #8. */
  readonly der: Uint8Array<ArrayBuffer>;
}

/**
 * AlgorithmIdentifier of a signature (RFC 3279, 5758, 8410, 9881) that has no parameters to choose.
 * Throws where there is none.
 */
export function signatureAlgorithm(kind: string, hash: SignatureHash): Uint8Array<ArrayBuffer> {
  if (kind === "rsa") {
    return encode(sequence(oid(hash === "sha1" ? RSA_SHA1 : RSA_SHA256), none()));
  }
  if (kind === "ec") return encode(sequence(oid(hash === "sha1" ? ECDSA_SHA1 : ECDSA_SHA256)));
  const own = Object.entries(KEY_KINDS).find(([, name]) => name === kind)?.[0];
  if (own === undefined) throw new Error(`a key of the kind '${kind}' signs no certificates`);
  if (hash === "sha1") throw new Error(`a key of the kind '${kind}' does not sign by SHA-1`);
  return encode(sequence(oid(own)));
}

/**
 * Signs with a key in PEM; `password` opens an encrypted one. Throws where it cannot be read.
 */
export async function pemSigner(
  text: string,
  password: string | undefined,
  hash: SignatureHash,
  files: Files,
): Promise<Signer> {
  const key = unread(readPrivateKey(text, password));
  if (isForRuntime(key, hash)) {
    const { der } = key;
    const read = createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
    return keySigner(read, hash);
  }
  // Few have such a key.
  const { libcryptoSigner } = await import("./libcrypto_signer.ts");
  return await libcryptoSigner(key, hash, files);
}

/** Signs with a key that the runtime has. */
export function keySigner(key: KeyObject, hash: SignatureHash): Signer {
  const kind = key.asymmetricKeyType!;
  const hashes = kind === "rsa" || kind === "ec";
  return {
    algorithm: signatureAlgorithm(kind, hash),
    sign: (bytes) => sign(hashes ? hash : null, bytes, key),
  };
}

function unread(der: Uint8Array<ArrayBuffer>): UnreadKey {
  const [_version, algorithm] = partsOf(parse(der));
  const [id, parameters] = partsOf(algorithm);
  const name = oidOf(id) ?? "";
  if (!Object.hasOwn(KEY_KINDS, name)) {
    throw new Error(`a key of the kind '${name}' signs no certificates`);
  }
  return { kind: KEY_KINDS[name as keyof typeof KEY_KINDS], parameters, der };
}

/** Whether the runtime signs so: it wants a hash that has half of the bits of an elliptic curve. */
function isForRuntime({ kind, parameters }: UnreadKey, hash: SignatureHash): boolean {
  switch (kind) {
    case "rsa":
    case "ed25519":
    case "ed448":
      return true;
    case "ec":
      return hash === "sha256" && RUNTIME_CURVES.includes(oidOf(parameters) ?? "");
    case "rsa-pss":
    case "ml-dsa-44":
    case "ml-dsa-65":
    case "ml-dsa-87":
      return false;
  }
}
