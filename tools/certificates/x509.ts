// X.509 certificates: what is signed, what an issuer's certificate says of itself, PEM.
// Source: RFC 5280, 4.1. What the certificates of TPMs say is tcg_certificate.ts's.
import { createHash } from "node:crypto";
import {
  type Asn1,
  bits,
  bytesOf,
  contentOf,
  encode,
  explicit,
  integer,
  isTagged,
  oidOf,
  parse,
  partsOf,
  pemBlock,
  sequence,
  time,
} from "./der.ts";
import type { Signer } from "./signer.ts";
import { EXTENSION, type Extension, extensionAsn1 } from "./tcg_certificate.ts";

const X509_V3 = 2;
/** RFC 5280, 4.1.2.5: a certificate that never expires. */
const NO_EXPIRY = new Date(Date.UTC(9999, 11, 31, 23, 59, 59));
const DAY_MS = 86_400_000;

/** What is asked for, as DER or as its parts. */
export interface CertificateWish {
  readonly serial: bigint;
  /** Name, DER. */
  readonly issuer: Uint8Array;
  /** Days that it is valid from now on; undefined for ever. */
  readonly days: number | undefined;
  readonly subject: Asn1;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly extensions: readonly Extension[];
}

/** What an issuer's certificate tells of it. */
export interface Issuer {
  /** Its subject: Name, DER. */
  readonly name: Uint8Array<ArrayBuffer>;
  /** SubjectKeyIdentifier, or the SHA-1 of its key where it does not tell one. */
  readonly keyIdentifier: Uint8Array<ArrayBuffer>;
}

/** Makes and signs a certificate; returns DER. */
export function issueCertificate(wish: CertificateWish, signer: Signer): Uint8Array<ArrayBuffer> {
  const now = new Date(Math.floor(Date.now() / 1000) * 1000);
  const end = wish.days === undefined
    ? NO_EXPIRY
    : new Date(Math.min(now.getTime() + wish.days * DAY_MS, NO_EXPIRY.getTime()));
  const algorithm = () => parse(signer.algorithm);
  const signed = sequence(
    explicit(0, integer(X509_V3)),
    integer(wish.serial),
    algorithm(),
    parse(wish.issuer),
    sequence(time(now), time(end)),
    wish.subject,
    parse(wish.publicKey),
    explicit(3, sequence(...wish.extensions.map(extensionAsn1))),
  );
  const signature = signer.sign(encode(signed));
  return encode(sequence(signed, algorithm(), bits(signature)));
}

/** Reads who an issuer is from its certificate (DER). Throws where it is none. */
export function issuerOf(der: Uint8Array): Issuer {
  const { subject, publicKey, extensions } = fieldsOf(der);
  const told = bytesOf(valueIn(extensions, EXTENSION.subjectKeyIdentifier));
  return { name: encode(subject), keyIdentifier: told ?? keyIdentifierOf(encode(publicKey)) };
}

/** The serial number and the authority's key identifier of a certificate, in hexadecimal digits. */
export function identityOf(der: Uint8Array): { serial: string; authorityKey: string } {
  const { serial, extensions } = fieldsOf(der);
  const key = partsOf(valueIn(extensions, EXTENSION.authorityKeyIdentifier))
    .find((part) => isTagged(part, 0));
  const number = bytesOf(serial);
  if (number === undefined || key === undefined) throw new Error("it tells no authority");
  return { serial: number.toHex(), authorityKey: contentOf(key).toHex() };
}

/** TBSCertificate, from its serial number on. */
function fieldsOf(der: Uint8Array) {
  const [signed] = partsOf(parse(der));
  const parts = [...partsOf(signed)];
  if (parts[0] !== undefined && isTagged(parts[0], 0)) parts.shift(); // the version
  const [serial, _algorithm, _issuer, _validity, subject, publicKey, ...rest] = parts;
  if (subject === undefined || publicKey === undefined) throw new Error("it is no certificate");
  const extensions = rest.filter((part) => isTagged(part, 3))
    .flatMap((part) => partsOf(partsOf(part)[0]));
  return { serial, subject, publicKey, extensions };
}

/** What the first extension of that name says. */
function valueIn(extensions: readonly Asn1[], id: string): Asn1 | undefined {
  const extension = extensions.map(partsOf).find(([name]) => oidOf(name) === id);
  const value = bytesOf(extension?.at(-1));
  return value === undefined ? undefined : parse(value);
}

/** RFC 5280, 4.2.1.2 (1): the SHA-1 of the key's bits. */
export function keyIdentifierOf(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  const [_algorithm, key] = partsOf(parse(publicKey));
  if (key === undefined) throw new Error("it is no public key");
  // The first byte counts the bits of the last one that are not used.
  const bits = contentOf(key).subarray(1);
  return new Uint8Array(createHash("sha1").update(bits).digest());
}

export function pemOf(der: Uint8Array<ArrayBuffer>): string {
  return pemBlock("CERTIFICATE", der);
}

const PEM = /-----BEGIN (?:X509 )?CERTIFICATE-----([^-]*)-----END/;

/** The first certificate in a file of PEM. Throws where there is none. */
export function derOfPem(text: string): Uint8Array<ArrayBuffer> {
  const base64 = PEM.exec(text)?.[1];
  if (base64 === undefined) throw new Error("there is no certificate in it");
  return Uint8Array.fromBase64(base64);
}
