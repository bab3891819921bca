// What TPM is wanted, out of words and configuration: complete and checked before anything is made.
import { UsageError } from "../../cli/usage_error.ts";
import type { KeySource } from "../../state/key_file.ts";
import type { EkUse } from "../../tcg/tpm2/templates/endorsement.ts";
import type { KeyKind } from "../../tcg/tpm2/templates/key_kinds.ts";
import type { KeyValues } from "../certificates/key_values.ts";
import { DEFAULT_EK1, DEFAULT_EK2, type KeyAlgorithm, keyAlgorithm } from "./key_algorithms.ts";
import type { Tpm12Wish } from "./tpm12.ts";
import type { Tpm2Wish } from "./tpm2.ts";
import type { SetupWords } from "./words.ts";

const DEFAULT_OWNER_PASSWORD = "ooo";
const DEFAULT_SRK_PASSWORD = "sss";
/** As the C program has it: zeros are the password, and not what is made of it. */
const WELL_KNOWN_PASSWORD = "\0".repeat(20);
const DEFAULT_BANKS = "sha256";
const RSA_SIZES = ["2048", "3072", "4096"];

/** Ciphers of the state, by the words of `--cipher`. */
const CIPHERS: Readonly<Record<string, 128 | 256>> = {
  "aes-128-cbc": 128,
  "aes-cbc": 128,
  "aes-256-cbc": 256,
};

/** Options that are for one version only, with what the C program says of them. */
export function checkVersion(words: SetupWords): void {
  if (words.has("tpm2")) {
    if (words.has("take-ownership")) {
      throw new UsageError("Taking ownership is not supported for TPM 2.");
    }
    return;
  }
  for (
    const name of [
      ...["ecc", "create-spk", "reconfigure", "allow-signing", "decryption", "pcr-banks"],
      ...["ek1keyalgo", "ek2keyalgo", "iakkeyalgo", "idevidkeyalgo"],
    ]
  ) {
    if (words.has(name)) throw new UsageError(`--${name} requires --tpm2.`);
  }
}

/** What is wanted of a TPM 2; `rsaSizes` are those of EKs that the emulator has. */
export function tpm2Wish(
  words: SetupWords,
  values: KeyValues,
  rsaSizes: readonly number[],
): Tpm2Wish {
  const certificates = words.has("create-ek-cert");
  const platform = words.has("create-platform-cert");
  const iak = optionalAlgorithm(words, values, "iakkeyalgo");
  const idevid = optionalAlgorithm(words, values, "idevidkeyalgo");
  if ((iak ?? idevid) !== undefined && !certificates) {
    throw new UsageError(
      "When creating IAK and/or IDevID keys, then an EK certificate must be created as well.",
    );
  }
  const first = firstEk(words, values, rsaSizes);
  const second = algorithmOf(
    "ek2keyalgo",
    words.text("ek2keyalgo") ?? values.get("ek2keyalgo") ?? DEFAULT_EK2,
  );
  const makesEk = certificates || platform || words.has("createek");
  const banks = words.pcrBanks ?? values.get("active_pcr_banks") ?? DEFAULT_BANKS;
  return {
    spk: words.has("create-spk") ? spkKind(words.has("ecc"), first) : undefined,
    eks: makesEk ? [first, ...(second.kind === first.kind ? [] : [second])] : [],
    use: useOf(words),
    ekCertificate: certificates,
    platformCertificate: platform,
    lockNv: words.has("lock-nvram"),
    iak,
    idevid,
    pcrBanks: banks === "-" ? undefined : banks.split(","),
  };
}

/** Throws {@linkcode UsageError} where more than PCR banks is wanted. */
export function checkReconfigure({ eks, spk, iak, idevid }: Tpm2Wish): void {
  if (eks.length === 0 && (spk ?? iak ?? idevid) === undefined) return;
  throw new UsageError("Reconfiguration is not supported with creation of EK or certificates");
}

export function tpm12Wish(words: SetupWords): Tpm12Wish {
  const takesOwnership = words.has("take-ownership");
  const auth = (password: string, wellKnown: string, fallback: string) =>
    words.text(password) ?? (words.has(wellKnown) ? WELL_KNOWN_PASSWORD : fallback);
  return {
    ek: ["createek", "create-ek-cert", "create-platform-cert", "take-ownership"]
      .some((name) => words.has(name)),
    owner: takesOwnership
      ? {
        auth: auth("ownerpass", "owner-well-known", DEFAULT_OWNER_PASSWORD),
        srk: auth("srkpass", "srk-well-known", DEFAULT_SRK_PASSWORD),
      }
      : undefined,
    ekCertificate: words.has("create-ek-cert"),
    platformCertificate: words.has("create-platform-cert"),
    lockNv: words.has("lock-nvram"),
  };
}

/** Where the state's key is, with what the log says of it, and as the emulator's `--key` has it. */
export interface StateKeyWish {
  readonly source: KeySource;
  readonly told: string;
  readonly argument: string;
}

/** The first that is given counts. Throws {@linkcode UsageError}. */
export function stateKey(words: SetupWords): StateKeyWish | undefined {
  const cipher = words.text("cipher") ?? "aes-128-cbc";
  const bits = Object.hasOwn(CIPHERS, cipher) ? CIPHERS[cipher] : undefined;
  if (bits === undefined) throw new UsageError(`Unsupported cipher ${cipher}.`);
  const ways = [
    { option: "keyfile", name: "file", field: "file", told: "with a provided key." },
    {
      option: "pwdfile",
      name: "pwdfile",
      field: "passphraseFile",
      told: "using a key derived from a passphrase.",
    },
    { option: "keyfile-fd", name: "fd", field: "fd", told: "with a provided key (fd)." },
    {
      option: "pwdfile-fd",
      name: "pwdfd",
      field: "passphraseFd",
      told: "using a key derived from a passphrase (fd).",
    },
  ];
  const way = ways.find(({ option }) => words.has(option));
  if (way === undefined) return undefined;
  const value = way.option.endsWith("-fd") ? words.descriptor(way.option) : words.text(way.option);
  const nothing = {
    ...{ file: undefined, fd: undefined, passphraseFile: undefined, passphraseFd: undefined },
  };
  const rest = { format: "hex" as const, bits, kdf: "pbkdf2" as const, remove: false };
  return {
    source: { ...nothing, ...rest, [way.field]: value },
    told: `  The TPM's state will be encrypted ${way.told}`,
    argument: `${way.name}=${value},mode=${cipher}`,
  };
}

function useOf(words: SetupWords): EkUse {
  if (!words.has("allow-signing")) return "storage";
  return words.has("decryption") ? "sign and decrypt" : "sign";
}

/** As large as the first EK, where that is one of RSA. */
function spkKind(ecc: boolean, { bits, kind }: KeyAlgorithm): KeyKind {
  if (ecc) return "ECC P-384";
  return bits === undefined ? "RSA 2048" : kind;
}

function firstEk(
  words: SetupWords,
  values: KeyValues,
  rsaSizes: readonly number[],
): KeyAlgorithm {
  const named = words.text("ek1keyalgo");
  if (named !== undefined) return algorithmOf("ek1keyalgo", named);
  const size = words.text("rsa-keysize");
  const configured = values.get("ek1keyalgo");
  if (size === undefined && configured !== undefined) return algorithmOf("ek1keyalgo", configured);
  const bits = rsaBits(words, values, rsaSizes);
  return algorithmOf("rsa-keysize", bits === undefined ? DEFAULT_EK1 : `rsa${bits}`);
}

/** The size that is asked for by number; those beyond 2048 bits are not in every libtpms. */
export function rsaBits(
  words: SetupWords,
  values: KeyValues,
  rsaSizes: readonly number[],
): string | undefined {
  const wanted = words.text("rsa-keysize") ?? values.get("rsa_keysize");
  if (wanted === undefined) return undefined;
  const there = ["2048", ...rsaSizes.map(String)].filter((bits) => RSA_SIZES.includes(bits));
  const bits = wanted === "max" ? String(Math.max(...there.map(Number))) : wanted;
  if (!RSA_SIZES.includes(bits)) throw new UsageError(`Unsupported RSA key size ${wanted}.`);
  if (there.includes(bits)) return bits;
  throw new UsageError(`${bits} bit RSA keys are not supported by libtpms.`);
}

function optionalAlgorithm(
  words: SetupWords,
  values: KeyValues,
  option: "iakkeyalgo" | "idevidkeyalgo",
): KeyAlgorithm | undefined {
  const name = words.text(option) ?? (words.has("no-iak") ? undefined : values.get(option));
  return name === undefined ? undefined : algorithmOf(option, name);
}

function algorithmOf(option: string, name: string): KeyAlgorithm {
  const algorithm = keyAlgorithm(name);
  if (algorithm !== undefined) return algorithm;
  throw new UsageError(`Unsupported key algorithm '${name}' for --${option}.`);
}
