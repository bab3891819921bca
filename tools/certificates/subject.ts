// The subject of a certificate from its text `CN=…,O=…`, as GnuTLS reads it (RFC 4514).
import { type Asn1, ia5, printable, sequence, utf8 } from "./der.ts";
import { attribute } from "./tcg_certificate.ts";

/** RFC 4519 and PKCS #9: what GnuTLS and OpenSSL know by name. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  CN: "2.5.4.3",
  SN: "2.5.4.4",
  SERIALNUMBER: "2.5.4.5",
  C: "2.5.4.6",
  L: "2.5.4.7",
  ST: "2.5.4.8",
  STREET: "2.5.4.9",
  O: "2.5.4.10",
  OU: "2.5.4.11",
  TITLE: "2.5.4.12",
  T: "2.5.4.12",
  DESCRIPTION: "2.5.4.13",
  POSTALCODE: "2.5.4.17",
  TELEPHONENUMBER: "2.5.4.20",
  NAME: "2.5.4.41",
  GIVENNAME: "2.5.4.42",
  GN: "2.5.4.42",
  INITIALS: "2.5.4.43",
  GENERATIONQUALIFIER: "2.5.4.44",
  DNQUALIFIER: "2.5.4.46",
  PSEUDONYM: "2.5.4.65",
  UID: "0.9.2342.19200300.100.1.1",
  DC: "0.9.2342.19200300.100.1.25",
  EMAIL: "1.2.840.113549.1.9.1",
  EMAILADDRESS: "1.2.840.113549.1.9.1",
};
const IA5_ATTRIBUTES: ReadonlySet<string> = new Set([
  "0.9.2342.19200300.100.1.25",
  "1.2.840.113549.1.9.1",
]);

/** X.680, 41.4. */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
const OID = /^(?:OID\.)?(\d+(?:\.\d+)+)$/i;

/** A subject that cannot be read: the rest of the text from where on. */
export class SubjectError extends Error {
  constructor(readonly rest: string) {
    super(`'${rest}' is no 'NAME=value'`);
  }
}

/**
 * Name from its text. Parts are divided by commas, `\` takes the next character as it is; several
 * stand in the certificate in reverse, as RFC 4514 has it. Throws {@linkcode SubjectError}.
 */
export function subjectOf(text: string): Asn1 {
  const parts = partsOf(text).map((part) => {
    const [, name, value] = /^\s*([^=]*?)\s*=(.*)$/s.exec(part) ?? [];
    const type = name === undefined
      ? undefined
      : ATTRIBUTES[name.toUpperCase()] ?? OID.exec(name)?.[1];
    if (type === undefined || value === undefined) throw new SubjectError(part);
    return attribute(type, stringOf(type, unescape(value.trim())));
  });
  return sequence(...parts.reverse());
}

/** A name with no more than a common name. */
export function commonName(name: string): Asn1 {
  return sequence(attribute(ATTRIBUTES.CN!, stringOf(ATTRIBUTES.CN!, name)));
}

function stringOf(type: string, value: string): Asn1 {
  if (IA5_ATTRIBUTES.has(type)) return ia5(value);
  return PRINTABLE.test(value) ? printable(value) : utf8(value);
}

function partsOf(text: string): string[] {
  return text.match(/(?:\\.|[^,\\])+/gs) ?? [];
}

function unescape(value: string): string {
  return value.replace(/\\(.)/gs, "$1");
}
