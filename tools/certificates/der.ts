// The ASN.1 of certificates: short names for what asn1js makes, so that a structure reads like its
// definition. What the structures mean stands in extensions.ts and x509.ts.
import * as asn1 from "npm:asn1js@3.1.0";

export type Asn1 = asn1.AsnType;

const CONTEXT = 3;

export const sequence = (...value: Asn1[]): Asn1 => new asn1.Sequence({ value });
export const set = (...value: Asn1[]): Asn1 => new asn1.Set({ value });
export const oid = (value: string): Asn1 => new asn1.ObjectIdentifier({ value });
export const integer = (value: number | bigint): Asn1 =>
  typeof value === "bigint" ? asn1.Integer.fromBigInt(value) : new asn1.Integer({ value });
export const boolean = (value: boolean): Asn1 => new asn1.Boolean({ value });
export const none = (): Asn1 => new asn1.Null();
export const utf8 = (value: string): Asn1 => new asn1.Utf8String({ value });
export const printable = (value: string): Asn1 => new asn1.PrintableString({ value });
export const ia5 = (value: string): Asn1 => new asn1.IA5String({ value });
export const octets = (bytes: Uint8Array): Asn1 =>
  new asn1.OctetString({ valueHex: exactBuffer(bytes) });
export const bits = (bytes: Uint8Array, unusedBits = 0): Asn1 =>
  new asn1.BitString({ valueHex: exactBuffer(bytes), unusedBits });

/** `[tag] EXPLICIT`. */
export const explicit = (tag: number, ...value: Asn1[]): Asn1 =>
  new asn1.Constructed({ idBlock: { tagClass: CONTEXT, tagNumber: tag }, value });
/** `[tag] IMPLICIT OCTET STRING`. */
export const implicitOctets = (tag: number, bytes: Uint8Array): Asn1 =>
  new asn1.Primitive({
    idBlock: { tagClass: CONTEXT, tagNumber: tag },
    valueHex: exactBuffer(bytes),
  });

/** RFC 5280, 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on. */
export function time(value: Date): Asn1 {
  const FIRST_GENERALIZED_YEAR = 2050;
  const make = value.getUTCFullYear() < FIRST_GENERALIZED_YEAR
    ? asn1.UTCTime
    : asn1.GeneralizedTime;
  return new make({ valueDate: value });
}

/** The very bytes of one structure, taken over as they are. Throws where they are none. */
export function parse(der: Uint8Array): Asn1 {
  const INDEFINITE_LENGTH = 0x80; // BER's, which ends where it likes
  if (der[1] === INDEFINITE_LENGTH) throw new Error("it is not DER");
  const { offset, result } = asn1.fromBER(exactBuffer(der));
  if (offset !== der.length) throw new Error(result.error || "it is not DER");
  return result;
}

export function encode(value: Asn1): Uint8Array<ArrayBuffer> {
  return new Uint8Array(value.toBER());
}

/** What a SEQUENCE or a constructed `[tag]` holds; nothing for others. */
export function partsOf(value: Asn1 | undefined): readonly Asn1[] {
  return value instanceof asn1.Constructed ? value.valueBlock.value as Asn1[] : [];
}

/** The dotted numbers of an OBJECT IDENTIFIER. */
export function oidOf(value: Asn1 | undefined): string | undefined {
  return value instanceof asn1.ObjectIdentifier ? value.getValue() : undefined;
}

/** The bytes of an OCTET STRING or of an INTEGER. */
export function bytesOf(value: Asn1 | undefined): Uint8Array<ArrayBuffer> | undefined {
  if (value instanceof asn1.OctetString) return new Uint8Array(value.getValue());
  if (value instanceof asn1.Integer) return new Uint8Array(value.valueBlock.valueHexView);
  return undefined;
}

/** What follows tag and length; the tag has one byte. */
export function contentOf(value: Asn1): Uint8Array<ArrayBuffer> {
  const der = encode(value);
  const lengthSize = der[1]! < 0x80 ? 1 : 1 + (der[1]! & 0x7f);
  return der.subarray(1 + lengthSize);
}

/** Whether it is `[tag]` of the context. */
export function isTagged(value: Asn1, tag: number): boolean {
  return value.idBlock.tagClass === CONTEXT && value.idBlock.tagNumber === tag;
}

function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** DER as a block of PEM (RFC 7468). */
export function pemBlock(label: string, der: Uint8Array<ArrayBuffer>): string {
  const lines = der.toBase64().match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
