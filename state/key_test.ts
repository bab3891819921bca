// Encryption of states: vectors from another implementation, and what must not open.
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { LibcryptoSealer } from "../ffi/libcrypto.ts";
import { TpmResult } from "../wire/codes.ts";
import { StateError } from "./error.ts";
import { StateKey } from "./key.ts";
import { openVersion1 } from "./version1.ts";

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/**
 * Made with the openssl 3.0.19 command: `enc -aes-N-cbc -nopad` over the text padded by hand to a
 * multiple of the key's size, `dgst -sha256 -mac HMAC` over ciphertext and whole IV; version 1: the
 * same cipher with a zero IV over the text behind its SHA-256.
 */
const VECTORS = [
  {
    key: "000102030405060708090a0b0c0d0e0f",
    iv: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
    data: "f52fd4a5d34bc43ae22eb0e4985b4eb7",
    hmac: "04cc29199f92a1a345a148c3cecc8a8a9cb987e5081a25501059ff2237a483a7",
    version1: "6aff3401f6ed1f7aeb5d7332fc7ccaccfeeba37de7335449cc1b8a262ea539b9" +
      "27052844f36f9bdca762581d5f7b7bb8",
  },
  {
    key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    iv: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00112233445566778899aabbccddeeff",
    data: "7697f2f281600b7b71ee0c783f602ee285da6487fb860c05c68dc9e8c4824da1",
    hmac: "f3e2ebf5ef36b459afdaeaef18280962dc3b6f3eb874b4dc2dc1a516fcb7bfb6",
    version1: "0682ba559ced5521325497eaf6cc2786308f910d182289ed2b2258dbc054d159" +
      "b7569e52b3d7c53b0e331b4be2d6419bfabed2840929a7b6847ec43bc553b5de",
  },
] as const;
const TEXT = new TextEncoder().encode("TPM state");

function resultOf(action: () => unknown): number {
  try {
    action();
  } catch (error) {
    assert(error instanceof StateError, String(error));
    return error.result;
  }
  throw new Error("nothing was thrown");
}

for (const vector of VECTORS) {
  const key = new StateKey(crypto, bytes(vector.key));
  const data = bytes(vector.data);
  const hmac = bytes(vector.hmac);
  const iv = bytes(vector.iv);

  Deno.test(`${key.bits} bit: opens what openssl sealed`, () => {
    assert.deepEqual(key.open(data, hmac, iv, "it"), TEXT);
  });

  for (const by of ["the runtime", "libcrypto"]) {
    const sealing = new StateKey(crypto, bytes(vector.key));
    const test = (name: string, check: () => void) =>
      Deno.test({
        name: `${key.bits} bit: ${name}`,
        sanitizeResources: false, // functions of a library stay open from their first use on
        fn: () => {
          if (by === "libcrypto") sealing.sealBy(new LibcryptoSealer());
          check();
        },
      });

    test(`opens what ${by} sealed, of all lengths around the unit`, () => {
      for (let length = 0; length <= 65; length++) {
        const plain = crypto.randomBytes(length);
        const sealed = sealing.seal(plain);
        const unit = key.bits / 8;
        assert.equal(sealed.data.length, (Math.floor(length / unit) + 1) * unit);
        assert.equal(sealed.iv.length, unit);
        const opened = key.open(sealed.data, sealed.hmac, sealed.iv, "it");
        assert.deepEqual([...opened], [...plain]);
      }
    });

    test(`two seals of one text by ${by} differ`, () => {
      const first = sealing.seal(TEXT).data.slice();
      assert.notDeepEqual(sealing.seal(TEXT).data, first);
    });
  }

  Deno.test(`${key.bits} bit: refuses each flipped bit of ciphertext, IV and HMAC`, () => {
    for (const part of [data, iv, hmac]) {
      for (let bit = 0; bit < part.length * 8; bit++) {
        part[bit >> 3]! ^= 1 << (bit & 7);
        const result = resultOf(() => key.open(data, hmac, iv, "it"));
        part[bit >> 3]! ^= 1 << (bit & 7);
        assert.equal(result, TpmResult.DECRYPT_ERROR);
      }
    }
  });

  Deno.test(`${key.bits} bit: refuses what is cut short`, () => {
    assert.equal(resultOf(() => key.open(data, hmac.subarray(1), iv, "it")), TpmResult.FAIL);
    assert.equal(
      resultOf(() => key.open(data.subarray(1), hmac, iv, "it")),
      TpmResult.DECRYPT_ERROR,
    );
    assert.equal(resultOf(() => key.open(data, hmac, undefined, "it")), TpmResult.DECRYPT_ERROR);
  });

  Deno.test(`${key.bits} bit: opens a version 1 blob, and refuses a damaged one`, () => {
    const old = bytes(vector.version1);
    assert.deepEqual(openVersion1(old, key, "it"), TEXT);
    assert.deepEqual(openVersion1(old, undefined, "it"), old);
    old[3]! ^= 1;
    assert.equal(resultOf(() => openVersion1(old, key, "it")), TpmResult.FAIL);
    assert.throws(() => openVersion1(old.subarray(0, 8), key, "it"), StateError);
  });
}

Deno.test("an IV TLV that is longer than the cipher's is authenticated whole", () => {
  const key = new StateKey(crypto, bytes(VECTORS[0].key));
  const iv = bytes(VECTORS[1].iv);
  const data = bytes(VECTORS[0].data);
  const mac = crypto.createHmac("sha256", bytes(VECTORS[0].key)).update(data).update(iv).digest();
  assert.deepEqual(key.open(data, mac, iv, "it"), TEXT);
  iv[31]! ^= 1;
  assert.equal(resultOf(() => key.open(data, mac, iv, "it")), TpmResult.DECRYPT_ERROR);
});

Deno.test("ciphertext of a length that no cipher makes is refused behind a right HMAC", () => {
  const raw = bytes(VECTORS[0].key);
  const key = new StateKey(crypto, raw);
  const iv = bytes(VECTORS[0].iv);
  const sealed = (data: Uint8Array, iv: Uint8Array) =>
    [data, crypto.createHmac("sha256", raw).update(data).update(iv).digest(), iv] as const;
  const open = (data: Uint8Array, iv: Uint8Array) => key.open(...sealed(data, iv), "it");
  assert.equal(resultOf(() => open(new Uint8Array(8), iv)), TpmResult.DECRYPT_ERROR);
  assert.equal(resultOf(() => open(new Uint8Array(24), iv)), TpmResult.FAIL);
  assert.equal(
    resultOf(() => open(bytes(VECTORS[0].data), iv.subarray(0, 8))),
    TpmResult.DECRYPT_ERROR,
  );
});

Deno.test("a key has 16 or 32 bytes", () => {
  for (const size of [0, 15, 17, 24, 33]) {
    assert.throws(() => new StateKey(crypto, new Uint8Array(size)), /this one has/);
  }
});

Deno.test("a wiped key opens nothing", () => {
  const { key, data, hmac, iv } = VECTORS[0];
  const wiped = new StateKey(crypto, bytes(key));
  wiped.wipe();
  assert.throws(() => wiped.open(bytes(data), bytes(hmac), bytes(iv), "it"), StateError);
});
