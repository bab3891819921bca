// Unit tests of taking out of a profile what is not allowed, on a fake of libcrypto.
import { deepEqual, equal } from "node:assert/strict";
import type { Trials } from "./crypto_trials.ts";
import { reduceProfile, type Reduction } from "./profile_reduction.ts";

const AVAILABLE = JSON.stringify({
  AvailableProfiles: [
    { Name: "default-v1", Algorithms: "aes" },
    { Name: "custom", Algorithms: "rsa,rsa-min-size=1024,camellia,camellia-min-size=128,aes" },
  ],
});
const allowing: Trials = {
  fipsByDefault: false,
  mayForbidSha1: false,
  disableFips: () => true,
  hasCipher: () => true,
  canSign: () => true,
  canVerify: () => true,
  canEncrypt: () => true,
  canHmac: () => true,
};

function reduced(profile: unknown, reduction: Reduction, openssl: Partial<Trials> = {}) {
  const text = JSON.stringify(profile);
  return JSON.parse(reduceProfile(text, reduction, { ...allowing, ...openssl }, AVAILABLE));
}

const FIPS_ATTRIBUTES = "no-sha1-signing,no-sha1-verification,no-unpadded-encryption";

Deno.test("fips-host takes out what FIPS does not allow, from libtpms' own list", () => {
  deepEqual(reduced({ Name: "custom" }, "fips-host"), {
    Name: "custom",
    Algorithms: "rsa,rsa-min-size=2048,aes,ecc-min-size=224",
    Attributes: FIPS_ATTRIBUTES,
  });
});

Deno.test("check takes out what fails here", () => {
  deepEqual(
    reduced({ Name: "custom:mine", Algorithms: "tdes,tdes-min-size=128,camellia,aes" }, "check", {
      hasCipher: (name: string) => !name.startsWith("DES"),
    }),
    { Name: "custom:mine", Algorithms: "camellia,aes" },
  );
});

Deno.test("check adds the attribute of what fails here", () => {
  const profile = { Name: "custom", Algorithms: "aes" };
  const attributes = (openssl: Partial<Trials>) => reduced(profile, "check", openssl).Attributes;
  equal(attributes({}), undefined);
  equal(attributes({ canVerify: () => false }), "no-sha1-verification");
  equal(
    attributes({ canEncrypt: (_key, _bits, padding) => padding !== "none" }),
    "no-unpadded-encryption",
  );
  equal(attributes({ canSign: (_key, digest) => digest !== "SHA1" }), "no-sha1-signing");
  equal(attributes({ canHmac: () => false }), "no-sha1-hmac");
});

Deno.test("short keys are raised where signing with one fails", () => {
  const { Algorithms } = reduced(
    { Name: "custom", Algorithms: "rsa,rsa-min-size=1024,ecc,ecc-min-size=256" },
    "check",
    { canSign: (_key, digest) => digest !== "SHA256" },
  );
  equal(Algorithms, "rsa,rsa-min-size=2048,ecc,ecc-min-size=256");
});

Deno.test("of a word that is there twice the last one stays", () => {
  const { Algorithms } = reduced(
    { Name: "custom", Algorithms: "aes,rsa-min-size=1024,sha256,aes,rsa-min-size=2048" },
    "check",
  );
  equal(Algorithms, "sha256,aes,rsa-min-size=2048");
});

Deno.test("of three the last one stays, and all others do", () => {
  const Algorithms =
    "rsa,aes,rsa-min-size=1024,aes,sha256,rsa-min-size=3072,aes,ecc,rsa-min-size=2048";
  equal(
    reduced({ Name: "custom", Algorithms }, "check").Algorithms,
    "rsa,sha256,aes,ecc,rsa-min-size=2048",
  );
});

Deno.test("a profile for FIPS gets no further attributes", () => {
  const { Attributes } = reduced({ Name: "custom", Attributes: "fips-host" }, "fips-host");
  equal(Attributes, "fips-host");
});

Deno.test("other profiles, and what is no profile, stay as they are", () => {
  for (const text of ['{"Name":"default-v1"}', '{ "Name": "customer" }', "nonsense", "[]", "1"]) {
    equal(reduceProfile(text, "fips-host", allowing, AVAILABLE), text);
  }
});
