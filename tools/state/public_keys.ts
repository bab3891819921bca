// Public keys and certificates in PEM, of what TPMs have of them.
import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { TPM_ALG, TPM_ECC } from "../../tcg/tpm2/algorithms.ts";
import type { TPMT_PUBLIC } from "../../tcg/tpm2/structures/objects.ts";
import type { Certificate } from "./contents.ts";

const EXPONENT = 65537;
const CURVES: ReadonlyMap<number, { readonly name: string; readonly bytes: number }> = new Map([
  [TPM_ECC.NIST_P256, { name: "P-256", bytes: 32 }],
  [TPM_ECC.NIST_P384, { name: "P-384", bytes: 48 }],
  [TPM_ECC.NIST_P521, { name: "P-521", bytes: 66 }],
]);

const base64url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

/** A key of a TPM 2's. Throws for one that has no form in PEM, such as that of an HMAC. */
export function keyOfPublic({ type, parameters, unique }: TPMT_PUBLIC): KeyObject {
  if (type === TPM_ALG.RSA && unique.rsa !== undefined) {
    return rsaKey(unique.rsa, parameters.rsaDetail?.exponent || EXPONENT);
  }
  const curve = CURVES.get(parameters.eccDetail?.curveID ?? 0);
  if (type !== TPM_ALG.ECC || unique.ecc === undefined || curve === undefined) {
    throw new Error("a key of this kind has no form in PEM");
  }
  const { x, y } = unique.ecc;
  const key = {
    ...{ kty: "EC", crv: curve.name },
    ...{ x: base64url(padded(x, curve.bytes)), y: base64url(padded(y, curve.bytes)) },
  };
  return createPublicKey({ key, format: "jwk" });
}

/** A coordinate may come without the zeros at its beginning. */
function padded(bytes: Uint8Array, length: number): Uint8Array {
  const whole = new Uint8Array(length);
  whole.set(bytes, length - bytes.length);
  return whole;
}

export function rsaKey(modulus: Uint8Array, exponent = EXPONENT): KeyObject {
  const e = Uint8Array.of(exponent >>> 24, exponent >>> 16, exponent >>> 8, exponent);
  const key = { kty: "RSA", n: base64url(modulus), e: base64url(e.subarray(e.findIndex(Boolean))) };
  return createPublicKey({ key, format: "jwk" });
}

export function pemOf(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }) as string;
}

/** The certificate at the beginning of `der`. Throws where there is none. */
export function certificateIn(der: Uint8Array, index: string, key: KeyObject): Certificate {
  const whole = der.subarray(0, derLength(der));
  const certificate = new X509Certificate(whole);
  return {
    index,
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    serial: certificate.serialNumber.toLowerCase(),
    validTo: certificate.validTo,
    matches: isAbout(certificate, key),
    pem: pemOfCertificate(whole),
  };
}

/** How long the element is that begins there. */
function derLength(der: Uint8Array): number {
  const first = der[1] ?? 0;
  if (der[0] !== 0x30) throw new Error("there is no certificate in it");
  if (first < 0x80) return 2 + first;
  const count = first - 0x80;
  const length = der.subarray(2, 2 + count).reduce((value, byte) => value * 256 + byte, 0);
  if (2 + count + length > der.length) throw new Error("the certificate in it is cut short");
  return 2 + count + length;
}

function oneLine(name: string | undefined): string {
  return (name ?? "").replaceAll("\n", ", ");
}

function isAbout(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return pemOf(certificate.publicKey) === pemOf(key);
  } catch {
    return false; // a key of a kind that the runtime does not know
  }
}

function pemOfCertificate(der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
