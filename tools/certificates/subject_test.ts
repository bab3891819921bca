// Subjects as GnuTLS reads and refuses them: the same texts were given to the C program 0.10.

import assert from "node:assert/strict";
import { type Asn1, encode, oidOf, partsOf } from "./der.ts";
import { SubjectError, subjectOf } from "./subject.ts";

const KINDS: Readonly<Record<number, string>> = { 12: "utf8", 19: "printable", 22: "ia5" };

/** Each attribute as `OID kind value`, in the certificate's order. */
function attributesOf(name: Asn1): string[] {
  return partsOf(name).map((relative) => {
    const [type, value] = partsOf(partsOf(relative)[0]);
    const der = encode(value!);
    return `${oidOf(type)} ${KINDS[der[0]!]} ${new TextDecoder().decode(der.subarray(2))}`;
  });
}

const READ: Readonly<Record<string, readonly string[]>> = {
  "": [],
  "CN=a": ["2.5.4.3 printable a"],
  "cn=a,": ["2.5.4.3 printable a"],
  "O=a,CN=b,C=US": ["2.5.4.6 printable US", "2.5.4.3 printable b", "2.5.4.10 printable a"],
  " CN = a , O=b ": ["2.5.4.10 printable b", "2.5.4.3 printable a"],
  "CN=a=b": ["2.5.4.3 printable a=b"],
  "CN=é": ["2.5.4.3 utf8 é"],
  "CN=a_b": ["2.5.4.3 utf8 a_b"],
  "C=U_": ["2.5.4.6 printable U_"],
  "serialNumber=5_": ["2.5.4.5 printable 5_"],
  "EMAIL=a@b": ["1.2.840.113549.1.9.1 ia5 a@b"],
  "surname=x": ["2.5.4.4 printable x"],
  "2.5.4.3=x": ["2.5.4.3 printable x"],
  "CN=a\\,b": ["2.5.4.3 printable a,b"],
  "CN=a\\+b": ["2.5.4.3 printable a+b"],
  "CN=a\\\\b": ["2.5.4.3 utf8 a\\b"],
  "CN=a\\": ["2.5.4.3 utf8 a\\"],
  "CN=a\\\\,O=b": ["2.5.4.10 printable b", "2.5.4.3 utf8 a\\"],
  "CN=a\\ ": ["2.5.4.3 printable a "],
  "CN=a#b;c": ["2.5.4.3 utf8 a#b;c"],
  'CN="ab"': ['2.5.4.3 utf8 "ab"'],
  // The C program takes these for bytes in hexadecimal digits.
  "CN=#1": ["2.5.4.3 utf8 #1"],
};

Deno.test("a subject's parts become attributes in reverse", () => {
  for (const [text, attributes] of Object.entries(READ)) {
    assert.deepEqual(attributesOf(subjectOf(text)), attributes, text);
  }
});

Deno.test("what is no subject is refused with the part that is none", () => {
  const REFUSED: Readonly<Record<string, string>> = {
    ",": "",
    ",CN=a": "",
    "CN=a,,O=b": "",
    "CN=a,,": "",
    "CN": "CN",
    "CN=": "CN=",
    "CN=a,O= ": "O= ",
    "=x": "=x",
    "XX=a": "XX=a",
    "OID.1.99=x": "OID.1.99=x",
    "1.2.99999999999999999999=x": "1.2.99999999999999999999=x",
    "3.1=x": "3.1=x",
    "CN=a+O=b": "CN=a+O=b",
    "CN=\\2c": "CN=\\2c",
    "CN=a\\b": "CN=a\\b",
    "CN=a\nb": "CN=a\nb",
    'CN="a,b"': 'b"',
  };
  for (const [text, rest] of Object.entries(REFUSED)) {
    assert.throws(() => subjectOf(text), (error) => {
      assert.ok(error instanceof SubjectError, String(error));
      assert.equal(error.rest, rest, text);
      return true;
    });
  }
});

Deno.test("a long subject takes no long time", () => {
  const start = performance.now();
  assert.throws(() => subjectOf(`CN=${" ".repeat(100_000)}\\x`), SubjectError);
  assert.throws(() => subjectOf("\\,".repeat(100_000)), SubjectError);
  assert.ok(performance.now() - start < 2_000);
});
