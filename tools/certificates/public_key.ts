// A public key in the forms that the tools take, as SubjectPublicKeyInfo.
import { createPublicKey } from "node:crypto";
import {
  bits,
  contentOf,
  encode,
  integer,
  none,
  oid,
  oidOf,
  parse,
  partsOf,
  sequence,
} from "./der.ts";
import { KEY_USAGE, type Usage } from "./tcg_certificate.ts";

/** Curves by the names of `--ecc-curveid`, with the size of a coordinate in bytes. */
export const CURVES = {
  secp256r1: { jwk: "P-256", size: 32 },
  secp384r1: { jwk: "P-384", size: 48 },
  secp521r1: { jwk: "P-521", size: 66 },
} as const;
export type Curve = keyof typeof CURVES;

/** PKCS #1, rsaEncryption. */
const RSA_ENCRYPTION = "1.2.840.113549.1.1.1";

/** Keys that are given by their bytes alone: FIPS 203 and 204, with the size of a public key. */
export const RAW_ALGORITHMS = {
  "ml-kem-512": { oid: "2.16.840.1.101.3.4.4.1", size: 800, signs: false },
  "ml-kem-768": { oid: "2.16.840.1.101.3.4.4.2", size: 1184, signs: false },
  "ml-kem-1024": { oid: "2.16.840.1.101.3.4.4.3", size: 1568, signs: false },
  "ml-dsa-44": { oid: "2.16.840.1.101.3.4.3.17", size: 1312, signs: true },
  "ml-dsa-65": { oid: "2.16.840.1.101.3.4.3.18", size: 1952, signs: true },
  "ml-dsa-87": { oid: "2.16.840.1.101.3.4.3.19", size: 2592, signs: true },
} as const;
export type RawAlgorithm = keyof typeof RAW_ALGORITHMS;

const PEM = /-----BEGIN PUBLIC KEY-----([^-]*)-----END PUBLIC KEY-----/;

export type PublicKey =
  | { readonly kind: "rsa"; readonly modulus: Uint8Array; readonly exponent: number }
  | {
    readonly kind: "ecc";
    readonly curve: Curve;
    readonly x: Uint8Array;
    readonly y: Uint8Array;
  }
  | { readonly kind: "raw"; readonly algorithm: RawAlgorithm; readonly bytes: Uint8Array }
  /** Text of a PEM file. */
  | { readonly kind: "pem"; readonly text: string };

/** SubjectPublicKeyInfo, DER. Throws where it is no key. */
export function publicKeyDer(key: PublicKey): Uint8Array<ArrayBuffer> {
  switch (key.kind) {
    case "rsa": {
      const modulus = BigInt(`0x0${key.modulus.toHex()}`);
      if (modulus === 0n) throw new Error("the modulus is 0");
      const rsa = encode(sequence(integer(modulus), integer(BigInt(key.exponent))));
      return encode(sequence(sequence(oid(RSA_ENCRYPTION), none()), bits(rsa)));
    }
    case "ecc": {
      const { jwk, size } = CURVES[key.curve];
      return jwkDer({
        kty: "EC",
        crv: jwk,
        x: base64url(padded(key.x, size)),
        y: base64url(padded(key.y, size)),
      });
    }
    case "raw":
      return rawDer(key.algorithm, key.bytes);
    case "pem":
      return pemDer(key.text);
  }
}

/** What a TPM's key is for, as bits of {@linkcode KEY_USAGE}. */
export function usageOf(key: PublicKey, tpm2: boolean, usage: Usage): number {
  const { digitalSignature, keyEncipherment, keyAgreement } = KEY_USAGE;
  if (key.kind === "raw" && RAW_ALGORITHMS[key.algorithm].signs) return digitalSignature;
  if (!tpm2) return keyEncipherment;
  // A key of a PEM file is not looked into, and the C program takes it for an RSA key.
  const exchange = key.kind === "ecc" ? keyAgreement : keyEncipherment;
  if (!usage.allowSigning) return exchange;
  return usage.decryption ? digitalSignature | exchange : digitalSignature;
}

function rawDer(algorithm: RawAlgorithm, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { oid: id, size } = RAW_ALGORITHMS[algorithm];
  if (bytes.length !== size) {
    throw new Error(`it has ${bytes.length} bytes, ${algorithm} has ${size}`);
  }
  return encode(sequence(sequence(oid(id)), bits(bytes)));
}

/** The runtime knows no keys of FIPS 203 and 204, and a certificate takes them as they are. */
function pemDer(text: string): Uint8Array<ArrayBuffer> {
  const base64 = PEM.exec(text)?.[1];
  if (base64 === undefined) {
    if (!/-----BEGIN RSA PUBLIC KEY-----/.test(text)) {
      throw new Error("there is no public key in it");
    }
    return derOf(createPublicKey(text));
  }
  const [algorithm, key] = partsOf(parse(Uint8Array.fromBase64(base64)));
  const id = oidOf(partsOf(algorithm)[0]);
  const raw = Object.entries(RAW_ALGORITHMS).find(([, known]) => known.oid === id)?.[0];
  if (raw === undefined || key === undefined) return derOf(createPublicKey(text));
  // The first byte counts the bits of the last one that are not used.
  return rawDer(raw as RawAlgorithm, contentOf(key).subarray(1));
}

function jwkDer(key: Record<string, string>): Uint8Array<ArrayBuffer> {
  return derOf(createPublicKey({ key, format: "jwk" }));
}

function derOf(key: ReturnType<typeof createPublicKey>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(key.export({ type: "spki", format: "der" }) as Uint8Array);
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? bytes.subarray(-1) : bytes.subarray(first);
}

function padded(bytes: Uint8Array, size: number): Uint8Array {
  const value = withoutZeros(bytes);
  if (value.length > size) throw new Error(`a coordinate has more than ${size} bytes`);
  const whole = new Uint8Array(size);
  whole.set(value, size - value.length);
  return whole;
}

function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
