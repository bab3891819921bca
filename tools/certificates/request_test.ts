// The words of swtpm_cert as a request: what is missed, in which order, and what is taken.

import assert from "node:assert/strict";
import { UsageError } from "../../cli/usage_error.ts";
import { readRequest, type RequestSurroundings } from "./request.ts";

/** No file is read here. */
const nothing = { variable: () => undefined } as unknown as RequestSurroundings;
const read = (words: string) => readRequest(words.split(" ").filter(Boolean), nothing);

const KEY = "--modulus 00ff";
const SIGNER = "--signkey k --issuercert c";
const TPM = "--tpm-manufacturer a --tpm-model b --tpm-version c";
const SPEC = "--tpm-spec-family 2.0 --tpm-spec-level 0 --tpm-spec-revision 0xa4";

Deno.test("what is missed is told in the C program's order", () => {
  const MISSED: Readonly<Record<string, RegExp>> = {
    "": /Missing public EK file and modulus/,
    "--ecc-x 00": /ECC x and y parameters must both be given/,
    "--ecc-x 00 --ecc-y 00 --modulus 00": /cannot both be given/,
    [KEY]: /issuer certificate name is required/,
    [`${KEY} --issuercert c`]: /--tpm-manufacturer and --tpm-model/,
    [`${KEY} --issuercert c ${TPM}`]: /--tpm-spec-family and/,
    [`${KEY} --issuercert c ${TPM} ${SPEC}`]: /Missing signature key/,
    [`${KEY} ${SIGNER} ${TPM} --type platform`]: /--platform-manufacturer and/,
    [`${KEY} ${SIGNER} --type iak`]: /--tpm-serial-num must be provided/,
    "--public 00": /--public needs --keyalgo/,
  };
  for (const [words, message] of Object.entries(MISSED)) {
    assert.throws(() => read(words), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message, words);
      return true;
    });
  }
});

Deno.test("numbers that are none are refused where they stand", () => {
  for (
    const words of [
      ...["--serial 0", "--serial -1", "--serial x", `--serial ${"9".repeat(49)}`, "--days -2"],
      ...["--days 1.5", "--exponent 0", "--exponent 4294967296", "--modulus 0", "--modulus 0g"],
      ...["--tpm-spec-level -1", "--tpm-spec-revision x", "--type foo", "--keyalgo rsa"],
    ]
  ) {
    assert.throws(() => read(`${words} ${KEY} ${SIGNER} ${TPM} ${SPEC}`), UsageError, words);
  }
});

Deno.test("a whole request has its defaults", () => {
  const request = read(`${KEY} ${SIGNER} ${TPM} ${SPEC}`);
  assert.ok(typeof request === "object");
  const { type, tpm2, days, serial, specification, key } = request;
  assert.deepEqual({ type, tpm2, days, serial, specification }, {
    ...{ type: "ek", tpm2: false, days: 365, serial: 1n },
    specification: { family: "2.0", level: 0, revision: 0xa4 },
  });
  assert.deepEqual(key, { kind: "rsa", modulus: new Uint8Array([0, 255]), exponent: 65537 });
  const other = read(`${KEY} ${SIGNER} ${TPM} ${SPEC} --days -1 --serial 7 --exponent 0x3`);
  assert.ok(typeof other === "object");
  assert.equal(other.days, undefined);
  assert.equal(other.serial, 7n);
  assert.deepEqual(other.key, { ...key, exponent: 3 });
});

Deno.test("a question is answered before what is wrong behind it", () => {
  assert.equal(read("--version --nothing"), "version");
  assert.equal(read("--help"), "help");
  assert.throws(() => read("--nothing --help"), UsageError);
});
