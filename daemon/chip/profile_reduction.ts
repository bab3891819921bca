// Takes out of a custom profile what libcrypto does not allow on this host, or what FIPS does not
// allow on any (--profile ...,remove-disabled=check|fips-host).
import { readTrialKeys, sizeFloors, type Trials, trials } from "./crypto_trials.ts";

/** Algorithms that go with what a failed trial stands for. */
const removals: Readonly<Record<string, readonly string[]>> = {
  "camellia-128": ["camellia", "camellia-min-size"],
  "camellia-256": ["camellia", "camellia-min-size"],
  tdes: ["tdes", "tdes-min-size"],
  rsaes: ["rsaes"],
  "ecc-nist-p192": ["ecc-nist-p192"],
};

const FIPS_HOST = "fips-host";
const SHA1_HMAC = ["no-sha1-hmac-creation", "no-sha1-hmac-verification"] as const;

/** What in a profile stands for what is not allowed. */
const attributeTrials = [
  {
    attribute: "no-sha1-signing",
    passes: (openssl: Trials, key: Uint8Array<ArrayBuffer>) => openssl.canSign(key, "SHA1", "pss"),
  },
  {
    attribute: "no-sha1-verification",
    passes: (openssl: Trials, key: Uint8Array<ArrayBuffer>) =>
      openssl.canVerify(key, "SHA1", "pss"),
  },
  {
    attribute: "no-unpadded-encryption",
    passes: (openssl: Trials, key: Uint8Array<ArrayBuffer>) =>
      openssl.canEncrypt(key, 2048, "none"),
  },
] as const;

/** `fips-host`: as if every trial had failed; `check`: what fails here and now. */
export type Reduction = "check" | "fips-host";

/**
 * The profile without what is not allowed. `available` is libtpms' list of profiles, for what a
 * profile has that names no algorithms. Profiles that are not custom stay as they are.
 */
export function reduceProfile(
  text: string,
  reduction: Reduction,
  openssl: Trials,
  available: string,
): string {
  const profile = parse(text);
  if (profile === undefined || !/^custom($|:)/.test(String(profile.Name))) return text;
  const algorithms = profile.Algorithms ?? customAlgorithms(available);
  profile.Algorithms = reduceAlgorithms(words(algorithms), reduction, openssl).join(",");
  const attributes = addAttributes(words(profile.Attributes), reduction, openssl);
  if (attributes.length > 0) profile.Attributes = attributes.join(",");
  return JSON.stringify(profile);
}

/** The profile as an object; undefined for what libtpms will refuse, with its own words. */
function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function words(list: unknown): string[] {
  return typeof list === "string" && list !== "" ? list.split(",") : [];
}

function customAlgorithms(available: string): unknown {
  const { AvailableProfiles } = JSON.parse(available) as {
    AvailableProfiles: { Name: string; Algorithms: string }[];
  };
  return AvailableProfiles.find(({ Name }) => Name === "custom")?.Algorithms;
}

function reduceAlgorithms(
  algorithms: readonly string[],
  reduction: Reduction,
  openssl: Trials,
): string[] {
  const keys = readTrialKeys();
  const removed = new Set<string>();
  for (const { name, passes } of trials) {
    const names = removals[name];
    if (names === undefined) continue;
    if (reduction === FIPS_HOST || !passes(openssl, keys)) {
      for (const algorithm of names) removed.add(algorithm);
    }
  }
  const kept = lastOfEach(algorithms.filter((word) => !removed.has(nameOf(word))));
  if (reduction === FIPS_HOST || !openssl.canSign(keys[1024], "SHA256", "pss")) raise(kept);
  return kept;
}

/** `rsa-min-size=2048` has the name `rsa-min-size`. */
function nameOf(word: string): string {
  return word.replace(/=.*$/, "");
}

function lastOfEach(list: readonly string[]): string[] {
  return list.filter((word, index) =>
    !list.slice(index + 1).some((later) => nameOf(later) === nameOf(word))
  );
}

/** Raises the smallest keys to what FIPS allows; changes the list. */
function raise(algorithms: string[]): void {
  for (const { parameter, bits } of sizeFloors) {
    const at = algorithms.findIndex((word) => nameOf(word) === parameter);
    if (at < 0) algorithms.push(`${parameter}=${bits}`);
    else if (Number(algorithms[at]!.slice(parameter.length + 1)) < bits) {
      algorithms[at] = `${parameter}=${bits}`;
    }
  }
}

function addAttributes(
  attributes: readonly string[],
  reduction: Reduction,
  openssl: Trials,
): string[] {
  const all = attributeTrials.map(({ attribute }) => attribute);
  const added = [...attributes];
  const isFipsHost = attributes.includes(FIPS_HOST);
  if (reduction === FIPS_HOST) {
    // All of them at once, even beside one that is there: libtpms takes a word twice.
    const there = isFipsHost || all.every((attribute) => attributes.includes(attribute));
    return there ? added : [...added, ...all];
  }
  if (!isFipsHost) {
    const key = readTrialKeys()[2048];
    for (const { attribute, passes } of attributeTrials) {
      if (!added.includes(attribute) && !passes(openssl, key)) added.push(attribute);
    }
  }
  const settled = added.includes("no-sha1-hmac") || SHA1_HMAC.every((word) => added.includes(word));
  if (!settled && added.length === 0 && !openssl.canHmac("SHA1")) added.push("no-sha1-hmac");
  return added;
}
