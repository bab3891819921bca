// Tests of the kernel: each kind of type is read, written and shown, and refuses what does not fit
// with its place.

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fixedBytes, restBytes, secret, sized, sizedBytes } from "./bytes.ts";
import { type Codec, decode, encode, i8, u16, u32, u64, u8, type Value } from "./codec.ts";
import { list } from "./list.ts";
import { constants, flags, handle } from "./numbers.ts";
import { by, struct, union } from "./struct.ts";

const unhex = (digits: string) => Uint8Array.from(Buffer.from(digits.replaceAll(" ", ""), "hex"));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

const animal = constants("ANIMAL", u16, { CAT: 1, DOG: 2, FISH: 3 });
const pet = struct("PET", {
  animal,
  name: sizedBytes("NAME", 2, { role: "text" }),
  details: by(
    "animal",
    union("DETAILS", {
      lives: [1, u8],
      tricks: [2, list("TRICKS", u16)],
    }, { empty: [3] }),
  ),
});
const home = struct("HOME", { pets: list("PETS", pet), owner: sized("OWNER", pet) });

function refuses<T>(codec: Codec<T>, digits: string, message: string): void {
  throws(() => decode(codec, unhex(digits)), { name: "WireError", message }, digits);
}

Deno.test("a value is read and written to the very same bytes", () => {
  const digits = "00000002 0001 0002 6869 09  0002 0000 00000002 0007 0008  0004 0003 0000";
  const value = decode(home, unhex(digits));
  deepStrictEqual(value, {
    pets: [
      { animal: 1, name: unhex("6869"), details: { lives: 9 } },
      { animal: 2, name: unhex(""), details: { tricks: [7, 8] } },
    ],
    owner: { animal: 3, name: unhex(""), details: {} },
  });
  strictEqual(hex(encode(home, value)), digits.replaceAll(" ", ""));
});

Deno.test("numbers keep what they hold, signs and unknown names included", () => {
  strictEqual(decode(i8, unhex("fd")), -3);
  strictEqual(hex(encode(i8, -3)), "fd");
  strictEqual(decode(u64, unhex("ffffffff00000001")), 0xffffffff00000001n);
  strictEqual(hex(encode(u64, 0xffffffff00000001n)), "ffffffff00000001");
  strictEqual(decode(u32, unhex("ffffffff")), 0xffffffff);
  strictEqual(decode(animal, unhex("abcd")), 0xabcd);
  deepStrictEqual(animal.show(0xabcd), {
    kind: "constant",
    type: "ANIMAL",
    value: 0xabcd,
    name: undefined,
  });
});

Deno.test("bits have names, parts of several bits numbers, and what is reserved stays", () => {
  const attributes = flags("ATTRIBUTES", u8, { first: 0, kind: [1, 3], last: 7 });
  strictEqual(attributes.of("first", "last"), 0x81);
  strictEqual(attributes.with(0x81, "kind", 5), 0x8b);
  strictEqual(attributes.get(0x8b, "kind"), 5);
  deepStrictEqual(attributes.namesOf(0xdb), ["first", "kind=5", "last", "bit 4", "bit 6"]);
  strictEqual(decode(attributes, unhex("ff")), 0xff);
});

Deno.test("nothing is there where a sized structure has no bytes", () => {
  const digits = "00000000 0000";
  const value = decode(home, unhex(digits));
  strictEqual(value.owner, null);
  strictEqual(hex(encode(home, value)), "000000000000");
});

Deno.test("what does not fit is refused with its place", () => {
  refuses(home, "0000", "pets at byte 0: 4 bytes wanted, 2 left");
  refuses(
    home,
    "ffffffff 0001",
    "pets at byte 0: 4294967295 times PET announced, 2 bytes left",
  );
  refuses(
    home,
    "00000001 0001 0009 68",
    "pets.0.name at byte 6: 9 bytes announced, 1 left",
  );
  refuses(home, "00000001 0001 0000", "pets.0.details.lives at byte 8: 1 byte wanted, 0 left");
  refuses(home, "00000001 0009 0000 00", "pets.0.details at byte 8: DETAILS is not known for 0x9");
  refuses(home, "00000000 0009 0003 0000", "owner at byte 6: 9 bytes announced, 4 left");
  refuses(home, "00000000 0005 0003 0000 00", "owner at byte 10: 1 byte left over");
  refuses(home, "00000000 0000 ff", "byte 6: 1 byte left over");
  refuses(home, "00000000 0003 0003 0000", "owner.name at byte 8: 2 bytes wanted, 1 left");
});

Deno.test("a value that its bytes cannot hold is refused with its place", () => {
  const value: Value<typeof pet> = { animal: 1, name: unhex("00"), details: { lives: 9 } };
  const wrong = (value: unknown, message: RegExp) =>
    throws(() => encode(pet, value as Value<typeof pet>), message);
  wrong({ ...value, animal: 70000 }, /^WireError: animal at byte 0: 70000 is not a number from 0/);
  wrong({ ...value, name: undefined }, /^WireError: name at byte 2: a value is missing/);
  wrong({ ...value, details: {} }, /^WireError: details at byte 5: for 0x1 "lives" is wanted/);
  wrong({ ...value, name: new Uint8Array(65536) }, /^WireError: name at byte 2: 65536 is not/);
  throws(() => encode(fixedBytes("FOUR", 4), unhex("00")), /FOUR has 4 bytes, not 1/);
  throws(() => encode(u64, 1n << 64n), /does not fit in eight bytes/);
});

Deno.test("what is longer than the memory that is there at first is written whole", () => {
  const CAPACITY = 256;
  const bytes = list("BYTES", u8);
  for (let length = CAPACITY - 8; length <= CAPACITY + 8; length++) {
    const content = Uint8Array.from({ length }, (_, index) => index);
    const sized = Uint8Array.of(length >> 8, length, ...content);
    deepStrictEqual(encode(sizedBytes("DATA", 2), content), sized);
    deepStrictEqual(encode(bytes, [...content]), Uint8Array.of(0, 0, ...sized));
  }
});

Deno.test("a selector stands before its union, and an item takes bytes", () => {
  throws(() => struct("ODD", { a: by("b", union("U", { one: [1, u8] })), b: u8 }), /not before/);
  throws(() => list("ENDLESS", restBytes("REST")), /could take no bytes/);
});

Deno.test("what is in bytes is shown, where it is that; secrets stand apart", () => {
  const holder = sizedBytes("HOLDER", 2, { holds: [pet] });
  const inside = holder.show(unhex("0003 0000"));
  strictEqual(inside.kind === "bytes" && inside.inside?.kind, "struct");
  const other = holder.show(unhex("ffff"));
  strictEqual(other.kind === "bytes" && other.inside, undefined);
  const hidden = secret(sizedBytes("PASSWORD", 2));
  deepStrictEqual(hidden.show(unhex("616263")), {
    kind: "secret",
    type: "PASSWORD",
    size: 3,
    inside: { kind: "bytes", type: "PASSWORD", value: unhex("616263"), role: "data" },
  });
  strictEqual(decode(hidden, unhex("0003616263")).length, 3);
});

Deno.test("a structure shows the fields that hold something", () => {
  const shown = pet.show({ animal: 3, name: unhex(""), details: {} });
  deepStrictEqual(shown.kind === "struct" && shown.fields.map((field) => field.name), [
    "animal",
    "name",
  ]);
  deepStrictEqual(handle("HANDLE").show(7), { kind: "handle", type: "HANDLE", value: 7 });
});
