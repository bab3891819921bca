// What TPM the words and the configuration ask for, and what is refused before anything is made.

import assert from "node:assert/strict";
import { UsageError } from "../../cli/usage_error.ts";
import { KeyValues } from "../certificates/key_values.ts";
import { checkVersion, stateKey, tpm12Wish, tpm2Wish } from "./wish.ts";
import { readWords, type SetupWords } from "./words.ts";

const SIZES = [1024, 2048, 3072];

function read(line: string): SetupWords {
  const words = readWords(line.split(" ").filter(Boolean), "swtpm_setup", () => {});
  assert.ok(typeof words === "object");
  return words;
}

const wish = (line: string, configuration = "") =>
  tpm2Wish(read(line), new KeyValues(configuration, () => undefined), SIZES);
const eksOf = (line: string, configuration = "") =>
  wish(line, configuration).eks.map(({ fileName }) => fileName);

Deno.test("endorsement keys are those of the options, else of the configuration", () => {
  assert.deepEqual(eksOf("--tpm2"), []);
  for (const option of ["--createek", "--create-ek-cert", "--create-platform-cert"]) {
    assert.deepEqual(eksOf(option), ["rsa2048", "secp384r1"]);
  }
  assert.deepEqual(eksOf("--createek --rsa-keysize max"), ["rsa3072", "secp384r1"]);
  assert.deepEqual(eksOf("--createek", "rsa_keysize = 3072"), ["rsa3072", "secp384r1"]);
  assert.deepEqual(
    eksOf("--createek --ek1keyalgo ECC_NIST_P256 --rsa-keysize 3072", "ek2keyalgo = rsa2048"),
    ["secp256r1", "rsa2048"],
  );
  assert.deepEqual(
    eksOf("--createek --ek1keyalgo secp384r1 --ek2keyalgo ecc_nist_p384"),
    ["secp384r1"],
    "no key twice",
  );
});

Deno.test("PCR banks are joined, or left as they are", () => {
  assert.deepEqual(wish("--tpm2").pcrBanks, ["sha256"]);
  assert.deepEqual(wish("--pcr-banks sha1 --pcr-banks sha384").pcrBanks, ["sha1", "sha384"]);
  assert.deepEqual(wish("--tpm2", "active_pcr_banks = sha512,sha1").pcrBanks, ["sha512", "sha1"]);
  assert.equal(wish("--pcr-banks -").pcrBanks, undefined);
});

Deno.test("identities need an endorsement key's certificate", () => {
  const configuration = "iakkeyalgo = rsa2048";
  assert.throws(() => wish("--createek", configuration), /an EK certificate must be created/);
  assert.equal(wish("--create-ek-cert", configuration).iak?.fileName, "rsa2048");
  assert.equal(wish("--create-ek-cert --no-iak", configuration).iak, undefined);
  assert.equal(wish("--create-ek-cert --idevidkeyalgo secp256r1").idevid?.fileName, "secp256r1");
});

Deno.test("what is no size, no kind, no cipher is refused", () => {
  for (
    const line of [
      ...["--createek --rsa-keysize 1024", "--createek --ek1keyalgo rsa", "--ek2keyalgo toString"],
    ]
  ) {
    assert.throws(() => wish(line), UsageError, line);
  }
  assert.throws(() => stateKey(read("--keyfile k --cipher toString")), /Unsupported cipher/);
  assert.throws(() => stateKey(read("--keyfile-fd x")), /Invalid file descriptor 'x'/);
});

Deno.test("the state's key is the first that is given", () => {
  assert.equal(stateKey(read("")), undefined);
  const key = stateKey(read("--pwdfile-fd 7 --keyfile k --cipher aes-256-cbc"));
  assert.equal(key?.argument, "file=k,mode=aes-256-cbc");
  assert.equal(key.source.file, "k");
  assert.equal(key.source.bits, 256);
  assert.equal(stateKey(read("--pwdfile-fd 7"))?.source.passphraseFd, 7);
});

Deno.test("options of one version are refused for the other", () => {
  for (const name of ["ecc", "create-spk", "reconfigure", "allow-signing", "decryption"]) {
    assert.throws(() => checkVersion(read(`--${name}`)), new RegExp(`--${name} requires --tpm2`));
    checkVersion(read(`--tpm2 --${name}`));
  }
  assert.throws(() => checkVersion(read("--tpm2 --take-ownership")), /not supported for TPM 2/);
});

Deno.test("a TPM 1.2's owner has the passwords that are said, or the usual ones", () => {
  assert.equal(tpm12Wish(read("--createek")).owner, undefined);
  const usual = tpm12Wish(read("--take-ownership"));
  assert.ok(usual.ek);
  assert.deepEqual(usual.owner, { auth: "ooo", srk: "sss" });
  const said = tpm12Wish(
    read("--take-ownership --ownerpass o --owner-well-known --srk-well-known"),
  );
  assert.equal(said.owner?.auth, "o", "a password that is said counts");
  assert.notEqual(said.owner?.srk, "sss");
});
