// Private keys in PEM: plain, encrypted by us, damaged. Those of other programs are read in
// tests/family/.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { encode, integer, octets, oid, sequence } from "./der.ts";
import { privateKeyPem, readPrivateKey } from "./encrypted_key.ts";

const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
/** Few, as time is not what is tested. */
const ROUNDS = 1000;
const der = new Uint8Array(key.export({ type: "pkcs8", format: "der" }));

Deno.test("a key comes back with the password it went with", () => {
  for (const password of [undefined, "", "a b", "ü"]) {
    const text = `before\n${privateKeyPem(key, password, ROUNDS)}after\n`;
    assert.equal(text.includes("ENCRYPTED"), password !== undefined);
    assert.deepEqual(readPrivateKey(text, password), der);
  }
});

Deno.test("what cannot be opened says why", () => {
  const sealed = privateKeyPem(key, "right", ROUNDS);
  assert.throws(() => readPrivateKey(sealed, undefined), /no password is given/);
  assert.throws(() => readPrivateKey(sealed, "wrong"));
  assert.throws(() => readPrivateKey("nothing", undefined), /no private key/);
  const pem = (bytes: Uint8Array) =>
    `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${bytes.toBase64()}\n` +
    "-----END ENCRYPTED PRIVATE KEY-----\n";
  assert.throws(() => readPrivateKey(pem(new Uint8Array([0x30, 0])), "p"), /nothing known/);
  assert.throws(() => readPrivateKey(pem(new Uint8Array([1])), "p"));
});

Deno.test("a key that asks for more work than anybody has time for is refused", () => {
  const salt = octets(new Uint8Array(8));
  const cipher = sequence(oid("2.16.840.1.101.3.4.1.42"), octets(new Uint8Array(16)));
  const sealed = (kdf: ReturnType<typeof sequence>) => {
    const scheme = sequence(oid("1.2.840.113549.1.5.13"), sequence(kdf, cipher));
    const der = encode(sequence(scheme, octets(new Uint8Array(16))));
    return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${der.toBase64()}\n` +
      "-----END ENCRYPTED PRIVATE KEY-----\n";
  };
  const rounds = sealed(sequence(
    oid("1.2.840.113549.1.5.12"),
    sequence(salt, integer(2_000_000_000)),
  ));
  const memory = sealed(sequence(
    oid("1.3.6.1.4.1.11591.4.11"),
    sequence(salt, integer(1 << 30), integer(8), integer(1)),
  ));
  const start = performance.now();
  assert.throws(() => readPrivateKey(rounds, "p"), /asks for 2000000000 rounds/);
  assert.throws(() => readPrivateKey(memory, "p"));
  assert.ok(performance.now() - start < 2_000);
});
