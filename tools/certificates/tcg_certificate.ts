// What a certificate about a TPM says: the profile of swtpm_cert's certificates as a list of
// extensions. How a certificate is put together is x509.ts's, who signs it signer.ts's.
// Sources: TCG Credential Profiles (TPM 1.2 rev 1.2, EK Credential Profile for TPM 2.0), RFC 5280.
import {
  type Asn1,
  bits,
  boolean,
  encode,
  explicit,
  implicitOctets,
  integer,
  octets,
  oid,
  sequence,
  set,
  utf8,
} from "./der.ts";

/** Kinds of certificates, by the words of `--type`. */
export const CERTIFICATE_TYPES = ["ek", "platform", "iak", "idevid"] as const;
export type CertificateType = typeof CERTIFICATE_TYPES[number];

/** What they are called in messages. */
export const CERTIFICATE_TITLES: Readonly<Record<CertificateType, string>> = {
  ek: "EK",
  platform: "platform",
  iak: "IAK",
  idevid: "IDevID",
};

/** Who made something, which model, which version. */
export interface Make {
  readonly manufacturer: string;
  readonly model: string;
  readonly version: string;
}

/** The specification that a TPM keeps to. */
export interface Specification {
  readonly family: string;
  readonly level: number;
  readonly revision: number;
}

/** What a key is good for beside what its kind says. */
export interface Usage {
  readonly allowSigning: boolean;
  readonly decryption: boolean;
}

/** What the certificate is about. */
export type About =
  | { readonly type: "ek"; readonly tpm: Make; readonly specification: Specification }
  | { readonly type: "platform"; readonly tpm: Make; readonly platform: Make }
  | { readonly type: "iak" | "idevid"; readonly tpmSerial: string };

/** One extension: its identifier, whether who does not know it has to refuse, its value. */
export interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Asn1;
}

/** RFC 5280, 4.2. */
export const EXTENSION = {
  subjectDirectoryAttributes: "2.5.29.9",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;

/** The TCG's names; tcg is 2.23.133. */
const TCG = {
  tpmManufacturer: "2.23.133.2.1",
  tpmModel: "2.23.133.2.2",
  tpmVersion: "2.23.133.2.3",
  /** Those of a TPM 1.2's platform. */
  platformManufacturer12: "2.23.133.2.4",
  platformModel12: "2.23.133.2.5",
  platformVersion12: "2.23.133.2.6",
  tpmSpecification: "2.23.133.2.16",
  platformManufacturer: "2.23.133.5.1.1",
  platformModel: "2.23.133.5.1.4",
  platformVersion: "2.23.133.5.1.5",
  ekCertificate: "2.23.133.8.1",
  platformCertificate: "2.23.133.8.2",
  hwTypeTpm: "2.23.133.1.2",
} as const;

/** id-on-hardwareModuleName, RFC 4108. */
const HARDWARE_MODULE_NAME = "1.3.6.1.5.5.7.8.4";

/** KeyUsage ::= BIT STRING, RFC 5280, 4.2.1.3: bits are counted from the left. */
export const KEY_USAGE = {
  digitalSignature: 0x80,
  keyEncipherment: 0x20,
  keyAgreement: 0x08,
  keyCertSign: 0x04,
} as const;

/** The extensions in the order in which the C program 0.10 puts them. */
export function extensionsOf(
  about: About,
  { tpm2, usage, authorityKey }: {
    tpm2: boolean;
    /** The bits of {@linkcode KEY_USAGE}. */
    usage: number;
    authorityKey: Uint8Array;
  },
): readonly Extension[] {
  const rest = [notAnAuthority(), authorityKeyIdentifier(authorityKey), keyUsage(usage)];
  switch (about.type) {
    case "ek":
      return [
        extendedKeyUsage(TCG.ekCertificate),
        alternativeName(explicit(4, tpmName(about.tpm))),
        rest[0]!,
        tpmSpecification(about.specification),
        ...rest.slice(1),
      ];
    case "platform":
      return [
        alternativeName(explicit(4, platformName(about, tpm2))),
        ...rest,
        extendedKeyUsage(TCG.platformCertificate),
      ];
    case "iak":
    case "idevid":
      return [
        { ...alternativeName(explicit(4, moduleName(about.tpmSerial))), critical: false },
        ...rest,
      ];
  }
}

/** Those of an authority's own certificate; `issuerKey` is not told by who signs itself. */
export function authorityExtensions(
  ownKey: Uint8Array,
  issuerKey: Uint8Array | undefined,
): readonly Extension[] {
  return [
    { id: EXTENSION.basicConstraints, critical: true, value: sequence(boolean(true)) },
    keyUsage(KEY_USAGE.keyCertSign),
    { id: EXTENSION.subjectKeyIdentifier, critical: false, value: octets(ownKey) },
    ...(issuerKey === undefined ? [] : [authorityKeyIdentifier(issuerKey)]),
  ];
}

/** Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue OCTET STRING }. */
export function extensionAsn1({ id, critical, value }: Extension): Asn1 {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(encode(value)));
}

/** RelativeDistinguishedName with one attribute. */
export const attribute = (type: string, value: Asn1): Asn1 => set(sequence(oid(type), value));

function tpmName({ manufacturer, model, version }: Make): Asn1 {
  return sequence(
    attribute(TCG.tpmManufacturer, utf8(manufacturer)),
    attribute(TCG.tpmModel, utf8(model)),
    attribute(TCG.tpmVersion, utf8(version)),
  );
}

function platformName({ tpm, platform }: { tpm: Make; platform: Make }, tpm2: boolean): Asn1 {
  const { manufacturer, model, version } = platform;
  if (tpm2) {
    return sequence(
      attribute(TCG.platformManufacturer, utf8(manufacturer)),
      attribute(TCG.platformModel, utf8(model)),
      attribute(TCG.platformVersion, utf8(version)),
    );
  }
  // Two names where there should be one: so the C program has always written it.
  const second = sequence(
    attribute(TCG.platformManufacturer12, utf8(manufacturer)),
    attribute(TCG.platformModel12, utf8(model)),
    attribute(TCG.platformVersion12, utf8(version)),
  );
  return sequence(tpmName(tpm), second);
}

/** HardwareModuleName ::= SEQUENCE { hwType, hwSerialNum OCTET STRING }. */
function moduleName(serial: string): Asn1 {
  const name = sequence(oid(TCG.hwTypeTpm), octets(new TextEncoder().encode(serial)));
  return sequence(attribute(HARDWARE_MODULE_NAME, name));
}

function alternativeName(name: Asn1): Extension {
  return { id: EXTENSION.subjectAltName, critical: true, value: sequence(name) };
}

function notAnAuthority(): Extension {
  return { id: EXTENSION.basicConstraints, critical: true, value: sequence() };
}

function tpmSpecification({ family, level, revision }: Specification): Extension {
  const value = sequence(utf8(family), integer(level), integer(revision));
  return {
    id: EXTENSION.subjectDirectoryAttributes,
    critical: false,
    value: sequence(sequence(oid(TCG.tpmSpecification), set(value))),
  };
}

function authorityKeyIdentifier(key: Uint8Array): Extension {
  const value = sequence(implicitOctets(0, key));
  return { id: EXTENSION.authorityKeyIdentifier, critical: false, value };
}

function extendedKeyUsage(purpose: string): Extension {
  return { id: EXTENSION.extendedKeyUsage, critical: false, value: sequence(oid(purpose)) };
}

function keyUsage(usage: number): Extension {
  // DER leaves out the zeros at the end of a list of named bits.
  const unused = 31 - Math.clz32(usage & -usage);
  return {
    id: EXTENSION.keyUsage,
    critical: true,
    value: bits(new Uint8Array([usage]), unused),
  };
}
