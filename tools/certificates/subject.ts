// The subject of a certificate from its text `CN=…,O=…`, as GnuTLS reads it (RFC 4514).
import { type Asn1, ia5, printable, sequence, utf8 } from "./der.ts";
import { attribute } from "./tcg_certificate.ts";

/** RFC 4519 and PKCS #9: what GnuTLS and OpenSSL know by name. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  CN: "2.5.4.3",
  SN: "2.5.4.4",
  SURNAME: "2.5.4.4",
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
  BUSINESSCATEGORY: "2.5.4.15",
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
  JURISDICTIONOFINCORPORATIONLOCALITYNAME: "1.3.6.1.4.1.311.60.2.1.1",
  JURISDICTIONOFINCORPORATIONSTATEORPROVINCENAME: "1.3.6.1.4.1.311.60.2.1.2",
  JURISDICTIONOFINCORPORATIONCOUNTRYNAME: "1.3.6.1.4.1.311.60.2.1.3",
};
/** Those that have no other kind of string, whatever is in it. */
const STRINGS: Readonly<Record<string, (value: string) => Asn1>> = {
  [ATTRIBUTES.SERIALNUMBER!]: printable,
  [ATTRIBUTES.C!]: printable,
  [ATTRIBUTES.TELEPHONENUMBER!]: printable,
  [ATTRIBUTES.DNQUALIFIER!]: printable,
  [ATTRIBUTES.JURISDICTIONOFINCORPORATIONCOUNTRYNAME!]: printable,
  [ATTRIBUTES.DC!]: ia5,
  [ATTRIBUTES.EMAIL!]: ia5,
};

/** X.680, 41.4. */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
/** The first number is 0, 1 or 2, the second below 40 but behind a 2. */
const OID = /^(?:OID\.)?((?:[01]\.[1-3]?\d|2\.\d{1,9})(?:\.\d{1,9})*)$/i;

/** Up to the next comma that is meant as one; at the end a `\` stands for itself. */
const PART = /(?:\\.|[^,\\]|\\$)*/y;
/** What `\` takes from its meaning; it may not stand before other characters. */
const ESCAPABLE = /\\([ "#+,;<=>\\]|$)/g;
/** What GnuTLS has no use for in a value: a second name, the end of a line, a `\` before a letter. */
const UNREADABLE = /[+\n\\]/;

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
    const written = value === undefined ? "" : trimmed(value);
    if (type === undefined || written === "") throw new SubjectError(part);
    if (UNREADABLE.test(written.replace(ESCAPABLE, ""))) throw new SubjectError(part);
    return attribute(type, stringOf(type, written.replace(ESCAPABLE, (_, own) => own || "\\")));
  });
  return sequence(...parts.reverse());
}

/** A name with no more than a common name. */
export function commonName(name: string): Asn1 {
  return sequence(attribute(ATTRIBUTES.CN!, stringOf(ATTRIBUTES.CN!, name)));
}

function stringOf(type: string, value: string): Asn1 {
  const make = STRINGS[type] ?? (PRINTABLE.test(value) ? printable : utf8);
  return make(value);
}

/** A comma at the end divides nothing. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    PART.lastIndex = at;
    const [part] = PART.exec(text)!;
    parts.push(part);
    at += part.length + 1;
  }
  return parts;
}

/** A blank behind a `\` stays. */
function trimmed(value: string): string {
  const [, rest] = /^\s*((?:\\.|.)*?)\s*$/s.exec(value)!;
  return rest!;
}
