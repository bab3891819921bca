// NV indices and persistent handles with a use of their own: the TCG Registry of Reserved TPM 2.0
// Handles and Localities, the EK Credential Profile (2.2.1.4, 2.2.1.5 and B.5), and TPM 2.0 Keys for
// Device Identity and Attestation. What else a handle says stands in handles.ts.

/** Where a key and what belongs to it are kept. */
export interface KeyPlace {
  readonly key: number;
  readonly certificate: number;
  /** NV index of the template, where another one than the profile's was used. */
  readonly template: number;
  /** NV index of what goes into the template's unique field. */
  readonly nonce?: number;
}

/** Endorsement keys, by the names that their templates have in the EK Credential Profile. */
export const EK_PLACES = {
  "L-1": {
    key: 0x81010001,
    certificate: 0x01c00002,
    nonce: 0x01c00003,
    template: 0x01c00004,
  },
  "L-2": {
    key: 0x8101000a,
    certificate: 0x01c0000a,
    nonce: 0x01c0000b,
    template: 0x01c0000c,
  },
  "H-1": { key: 0x81010012, certificate: 0x01c00012, template: 0x01c00013 },
  "H-2": { key: 0x81010014, certificate: 0x01c00014, template: 0x01c00015 },
  "H-3": { key: 0x81010016, certificate: 0x01c00016, template: 0x01c00017 },
  "H-4": { key: 0x81010018, certificate: 0x01c00018, template: 0x01c00019 },
  "H-5": { key: 0x8101001a, certificate: 0x01c0001a, template: 0x01c0001b },
  "H-6": { key: 0x8101001c, certificate: 0x01c0001c, template: 0x01c0001d },
  "H-7": { key: 0x8101001e, certificate: 0x01c0001e, template: 0x01c0001f },
} as const satisfies Readonly<Record<string, KeyPlace>>;

export type EkProfile = keyof typeof EK_PLACES;

export const SRK_HANDLE = 0x81000001;
export const IDEVID_PLACE = { key: 0x81020000, certificate: 0x01c90200 } as const;
export const IAK_PLACE = { key: 0x81020001, certificate: 0x01c90100 } as const;
export const PLATFORM_CERTIFICATE = 0x01c08000;

/** The indices that the EKs' policies B hang on. */
export const EK_POLICY_INDEX = { SHA256: 0x01c07f01, SHA384: 0x01c07f02, SHA512: 0x01c07f03 };

/** What the keys are; where two are alike, the later one is of the high range. */
const EK_KINDS: Readonly<Record<EkProfile, string>> = {
  "L-1": "RSA 2048",
  "L-2": "ECC P-256",
  "H-1": "RSA 2048 high range",
  "H-2": "ECC P-256 high range",
  "H-3": "ECC P-384",
  "H-4": "ECC P-521",
  "H-5": "SM2",
  "H-6": "RSA 3072",
  "H-7": "RSA 4096",
};

const USES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(EK_PLACES).flatMap(([profile, place]: [string, KeyPlace]) => {
    const kind = EK_KINDS[profile as EkProfile];
    const uses: [number, string][] = [
      [place.key, `EK ${kind}`],
      [place.certificate, `EK certificate ${kind}`],
      [place.template, `EK template ${kind}`],
    ];
    return place.nonce === undefined
      ? uses
      : [...uses, [place.nonce, `EK nonce ${kind}`] as [number, string]];
  }),
  ...Object.entries(EK_POLICY_INDEX).map((
    [hash, index],
  ): [number, string] => [index, `EK policy ${hash}`]),
  [SRK_HANDLE, "SRK"],
  [IDEVID_PLACE.key, "IDevID"],
  [IDEVID_PLACE.certificate, "IDevID certificate"],
  [IAK_PLACE.key, "IAK"],
  [IAK_PLACE.certificate, "IAK certificate"],
  [PLATFORM_CERTIFICATE, "platform certificate"],
]);

/** To whom handles belong, or for what they are. */
interface Range {
  readonly first: number;
  readonly last: number;
  readonly use: string;
}

/** The narrower one stands before the wider one. */
const RANGES: readonly Range[] = [
  { first: 0x01000000, last: 0x013fffff, use: "TPM maker's" },
  { first: 0x01400000, last: 0x017fffff, use: "platform maker's" },
  { first: 0x01800000, last: 0x01bfffff, use: "owner's" },
  { first: 0x01c00100, last: 0x01c001ff, use: "EK certificate chain" },
  { first: 0x01c00000, last: 0x01c07fff, use: "EK certificates'" },
  { first: 0x01c08000, last: 0x01c0ffff, use: "platform certificates'" },
  { first: 0x01c10000, last: 0x01c1ffff, use: "component maker's" },
  { first: 0x01c20000, last: 0x01c2ffff, use: "TPM vendor's" },
  { first: 0x01c30000, last: 0x01c3ffff, use: "platform vendor's" },
  { first: 0x01c40000, last: 0x01c4ffff, use: "PC client's" },
  { first: 0x01c50000, last: 0x01c5ffff, use: "server's" },
  { first: 0x01c60000, last: 0x01c6ffff, use: "virtual platform's" },
  { first: 0x01c90000, last: 0x01c9ffff, use: "device identity" },
  { first: 0x01d10200, last: 0x01d105ff, use: "Linux" },
  { first: 0x81000000, last: 0x8100ffff, use: "storage key" },
  { first: 0x81010000, last: 0x8101ffff, use: "endorsement key" },
  { first: 0x81020000, last: 0x8102ffff, use: "device identity" },
  { first: 0x81800000, last: 0x81ffffff, use: "platform's" },
];

/** What an NV index or a persistent handle is for, where that is known. */
export function reservedUse(handle: number): string | undefined {
  return USES.get(handle) ??
    RANGES.find(({ first, last }) => first <= handle && handle <= last)?.use;
}
