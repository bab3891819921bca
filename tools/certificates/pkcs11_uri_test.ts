// URIs of PKCS #11: what they say, and what is none.

import assert from "node:assert/strict";
import { isPkcs11, parsePkcs11Uri, withoutPin } from "./pkcs11_uri.ts";

Deno.test("a URI names token, object and module", () => {
  assert.deepEqual(
    parsePkcs11Uri(
      "pkcs11:token=a%20b;object=k%3b;id=%01%ff;slot-id=7;type=private" +
        "?module-path=/lib/m.so&pin-value=12%2634&pin-source=file:/pin",
    ),
    {
      token: "a b",
      object: "k;",
      slot: 7n,
      id: new Uint8Array([1, 255]),
      modulePath: "/lib/m.so",
      pinValue: "12&34",
      pinSource: "file:/pin",
    },
  );
  assert.deepEqual(parsePkcs11Uri("pkcs11:"), {});
  assert.deepEqual(parsePkcs11Uri("pkcs11:object=50%;model=%zz"), { object: "50%", model: "%zz" });
});

Deno.test("what is no such URI is refused", () => {
  for (const text of ["", "pkcs11", "file:x", "pkcs11:object", "pkcs11:slot-id=x"]) {
    assert.throws(() => parsePkcs11Uri(text), Error, text);
  }
  assert.ok(isPkcs11("pkcs11:") && !isPkcs11("/pkcs11:"));
});

Deno.test("messages do not tell the PIN", () => {
  assert.equal(
    withoutPin("pkcs11:object=k?pin-value=1234&module-path=m"),
    "pkcs11:object=k?pin-value=...&module-path=m",
  );
  assert.equal(withoutPin("a?pin-value=1"), "a?pin-value=1");
});
