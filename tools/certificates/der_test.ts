// DER by short names: what is written, what is read back, what is refused.

import assert from "node:assert/strict";
import {
  bits,
  bytesOf,
  contentOf,
  encode,
  explicit,
  integer,
  isTagged,
  octets,
  oid,
  oidOf,
  parse,
  partsOf,
  sequence,
  time,
} from "./der.ts";

const hex = (value: Parameters<typeof encode>[0]) => encode(value).toHex();

Deno.test("values are written as DER has them", () => {
  assert.equal(hex(integer(127)), "02017f");
  assert.equal(hex(integer(128n)), "02020080");
  assert.equal(hex(integer(0)), "020100");
  assert.equal(hex(oid("2.23.133.8.1")), "06056781050801");
  assert.equal(hex(bits(new Uint8Array([0x20]), 5)), "03020520");
  assert.equal(hex(explicit(0, integer(2))), "a003020102");
});

Deno.test("times change their kind in 2050", () => {
  assert.equal(hex(time(new Date(Date.UTC(2049, 11, 31, 23, 59, 59)))).slice(0, 4), "170d");
  assert.equal(hex(time(new Date(Date.UTC(2050, 0, 1)))).slice(0, 4), "180f");
});

Deno.test("what is read is what was written", () => {
  const read = parse(encode(sequence(oid("2.5.4.3"), octets(new Uint8Array([1, 2])))));
  const [name, value] = partsOf(read);
  assert.equal(oidOf(name), "2.5.4.3");
  assert.deepEqual(bytesOf(value), new Uint8Array([1, 2]));
  assert.ok(isTagged(parse(encode(explicit(3, integer(1)))), 3));
  assert.equal(oidOf(value), undefined);
  assert.deepEqual(partsOf(undefined), []);
});

Deno.test("content begins behind a length of any size", () => {
  for (const size of [0, 1, 127, 128, 255, 256, 70_000]) {
    assert.equal(contentOf(octets(new Uint8Array(size))).length, size);
  }
});

Deno.test("what is no single structure is refused", () => {
  for (const text of ["", "30", "3005", "0201", "3080", "020101ff", "ff"]) {
    assert.throws(() => parse(Uint8Array.fromHex(text)), Error, text);
  }
});
