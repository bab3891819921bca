// What a TPM's algorithms need of libcrypto, and whether it is there: FIPS mode and a distribution's
// settings forbid some of it. Rows of a table, each with its trial.
import type { Openssl } from "../../ffi/openssl.ts";
import { trialKeys } from "./trial_keys.ts";

/** What is tried out; {@linkcode Openssl}, or a fake of it. */
export type Trials = Pick<
  Openssl,
  | "canEncrypt"
  | "canHmac"
  | "canSign"
  | "canVerify"
  | "disableFips"
  | "fipsByDefault"
  | "hasCipher"
  | "mayForbidSha1"
>;

/** Who forbids it: FIPS mode, a setting of libcrypto, a setting about SHA-1 signatures. */
export type Forbidder = "fips" | "config" | "sha1";

export interface Trial {
  /** As messages show it. */
  name: string;
  /** It matters to a TPM that has all of these algorithms. */
  algorithms: readonly string[];
  forbidders: readonly Forbidder[];
  passes: (openssl: Trials, keys: TrialKeys) => boolean;
}

/** The keys, read once. */
export type TrialKeys = Readonly<Record<1024 | 2048, Uint8Array<ArrayBuffer>>>;

export function readTrialKeys(): TrialKeys {
  const bytes = (size: 1024 | 2048) =>
    Uint8Array.from(atob(trialKeys[size]), (letter) => letter.charCodeAt(0));
  return { 1024: bytes(1024), 2048: bytes(2048) };
}

export const trials: readonly Trial[] = [
  {
    name: "camellia-128",
    algorithms: ["camellia"],
    forbidders: ["fips", "config"],
    passes: (openssl) => openssl.hasCipher("CAMELLIA-128-CFB"),
  },
  {
    name: "camellia-256",
    algorithms: ["camellia"],
    forbidders: ["fips", "config"],
    passes: (openssl) => openssl.hasCipher("CAMELLIA-256-CFB"),
  },
  {
    name: "tdes",
    algorithms: ["tdes"],
    forbidders: ["fips", "config"],
    passes: (openssl) => openssl.hasCipher("DES-EDE3-CFB"),
  },
  {
    name: "rsaes",
    algorithms: ["rsaes"],
    forbidders: ["fips"],
    passes: (openssl, keys) => openssl.canEncrypt(keys[2048], 2048, "pkcs1"),
  },
  {
    name: "ecc-nist-p192",
    algorithms: ["ecc-nist-p192"],
    forbidders: ["fips"],
    // Short RSA keys fall with short curves, and are there in every build of libcrypto.
    passes: (openssl, keys) => openssl.canSign(keys[1024], "SHA256", "pss"),
  },
  // With longer keys as well, if with these.
  {
    name: "RSA-1024-sign(SHA1, pkcs1-pss)",
    algorithms: ["rsa", "sha1", "rsapss"],
    forbidders: ["sha1"],
    passes: (openssl, keys) => openssl.canSign(keys[1024], "SHA1", "pss"),
  },
  {
    name: "RSA-1024-sign(SHA1, pkcs1)",
    algorithms: ["rsa", "sha1", "rsassa"],
    forbidders: ["sha1"],
    passes: (openssl, keys) => openssl.canSign(keys[1024], "SHA1", "pkcs1"),
  },
];

/** Smallest keys that FIPS mode allows, where the TPM has the algorithm. */
export const sizeFloors = [
  { algorithm: "ecc-nist", parameter: "ecc-min-size", bits: 224 },
  { algorithm: "rsa", parameter: "rsa-min-size", bits: 2048 },
] as const;
