// Unit tests of what is made of libcrypto's FIPS mode and SHA-1 settings, on a fake of it.
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { InfoFlag } from "../../ffi/libtpms.ts";
import { settleCrypto, SHA1_VARIABLE } from "./crypto_policy.ts";
import type { Trials } from "./crypto_trials.ts";

const ALGORITHMS = "rsa,rsa-min-size=1024,tdes,sha1,camellia,rsassa,rsapss,rsaes,ecc," +
  "ecc-min-size=192,ecc-nist,ecc-nist-p192";
const HARMLESS = "rsa,rsa-min-size=2048,sha256,rsassa,rsapss,ecc,ecc-min-size=224,ecc-nist";

/** A libcrypto that allows everything, but for what is said. */
class FakeOpenssl implements Trials {
  fipsByDefault = false;
  fipsStays = false;
  mayForbidSha1 = true;
  sha1 = true;
  ciphers = true;
  disabled = 0;

  disableFips(): boolean {
    this.disabled++;
    return !this.fipsStays;
  }
  hasCipher(): boolean {
    return this.ciphers && (!this.fipsByDefault || this.disabled > 0);
  }
  canSign(_key: unknown, digest: string): boolean {
    return digest !== "SHA1" || this.sha1;
  }
  canVerify(): boolean {
    return true;
  }
  canEncrypt(): boolean {
    return true;
  }
  canHmac(): boolean {
    return true;
  }
}

function settle(openssl: FakeOpenssl, algorithms: string | undefined, attributes = "") {
  const variables: Record<string, string> = {};
  const messages: string[] = [];
  const details: string[] = [];
  const run = (tpm2 = true) =>
    settleCrypto(tpm2, {
      openssl,
      info: (flag) =>
        flag === InfoFlag.RUNTIME_ATTRIBUTES
          ? JSON.stringify({ RuntimeAttributes: { Enabled: attributes } })
          : algorithms === undefined
          ? undefined
          : JSON.stringify({ RuntimeAlgorithms: { Enabled: algorithms } }),
      setVariable: (name, value) => {
        variables[name] = value;
        openssl.sha1 = true;
      },
      report: (message) => void messages.push(message),
      detail: (message) => void details.push(message),
    });
  return { run, variables, messages, details };
}

Deno.test("where everything is allowed nothing is done, and the details tell what was tried", () => {
  const openssl = new FakeOpenssl();
  const { run, variables, messages, details } = settle(openssl, ALGORITHMS);
  run();
  deepEqual([openssl.disabled, variables, messages], [0, {}, []]);
  ok(details.includes("Tested: RSA-1024-sign(SHA1, pkcs1-pss)"));
  ok(details.includes("Tested: camellia-128"));
});

Deno.test("FIPS is turned off for a TPM 1.2, and for a TPM 2 that needs that", () => {
  for (const [tpm2, algorithms] of [[false, ""], [true, ALGORITHMS], [true, undefined]] as const) {
    const openssl = Object.assign(new FakeOpenssl(), { fipsByDefault: true });
    settle(openssl, algorithms).run(tpm2);
    equal(openssl.disabled, 1);
  }
});

Deno.test("FIPS stays on for a TPM 2 whose profile fits it", () => {
  const openssl = Object.assign(new FakeOpenssl(), { fipsByDefault: true });
  settle(openssl, HARMLESS).run();
  equal(openssl.disabled, 0);
});

Deno.test("short keys alone are a reason to turn FIPS off", () => {
  const openssl = Object.assign(new FakeOpenssl(), { fipsByDefault: true });
  settle(openssl, HARMLESS.replace("rsa-min-size=2048", "rsa-min-size=1024")).run();
  equal(openssl.disabled, 1);
});

Deno.test("FIPS that cannot be turned off ends the start", () => {
  const openssl = Object.assign(new FakeOpenssl(), { fipsByDefault: true, fipsStays: true });
  throws(() => settle(openssl, ALGORITHMS).run(), { name: "TpmResultError", result: 9 });
});

Deno.test("refused SHA-1 signatures are allowed by the variable, with a warning", () => {
  const { run, variables, messages } = settle(
    Object.assign(new FakeOpenssl(), { sha1: false }),
    ALGORITHMS,
  );
  run();
  deepEqual(variables, { [SHA1_VARIABLE]: "1" });
  ok(messages.some((message) => message.includes(`${SHA1_VARIABLE}=1`)));
});

Deno.test("SHA-1 signatures are not tried out where nothing can forbid them", () => {
  const openssl = Object.assign(new FakeOpenssl(), { mayForbidSha1: false });
  const { run, details } = settle(openssl, ALGORITHMS);
  run();
  equal(details.some((detail) => detail.includes("SHA1")), false);
  ok(details.includes("Tested: camellia-128"));
});

for (const attributes of ["fips-host", "no-sha1-signing,no-sha1-verification"]) {
  Deno.test(`a profile with ${attributes} needs no SHA-1 signatures`, () => {
    const { run, variables } = settle(
      Object.assign(new FakeOpenssl(), { sha1: false }),
      ALGORITHMS,
      attributes,
    );
    run();
    deepEqual(variables, {});
  });
}

Deno.test("an algorithm that libcrypto does not offer ends the start, and is named", () => {
  const openssl = Object.assign(new FakeOpenssl(), { ciphers: false });
  throws(() => settle(openssl, ALGORITHMS).run(), { message: /does not offer camellia-128/ });
});

Deno.test("a libtpms that does not say what it has is not refused for that", () => {
  const openssl = Object.assign(new FakeOpenssl(), { ciphers: false });
  settle(openssl, undefined).run();
});
