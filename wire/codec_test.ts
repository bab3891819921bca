// Unit tests of the codec kernel.
import { deepEqual, equal, throws } from "node:assert/strict";
import { array, littleEndian, reserved, struct, u16, u32, u8, WireError } from "./codec.ts";

const layout = struct("test", { a: u8, pad: reserved(2), b: u16, c: u32 });

Deno.test("a struct is packed, big-endian, with reserved bytes zero", () => {
  equal(layout.size, 9);
  const bytes = layout.encode({ a: 1, b: 0x0203, c: 0xfffefdfc });
  deepEqual([...bytes], [1, 0, 0, 2, 3, 0xff, 0xfe, 0xfd, 0xfc]);
  deepEqual(layout.decode(bytes), { a: 1, b: 0x0203, c: 0xfffefdfc });
});

Deno.test("reserved bytes are ignored when read", () => {
  const bytes = Uint8Array.of(1, 9, 9, 2, 3, 0, 0, 0, 4);
  deepEqual(layout.decode(bytes), { a: 1, b: 0x0203, c: 4 });
});

Deno.test("a body follows the struct", () => {
  deepEqual([...struct("head", { n: u8 }).encode({ n: 7 }, Uint8Array.of(8, 9))], [7, 8, 9]);
});

Deno.test("fewer bytes than the struct has are refused by name", () => {
  throws(() => layout.decode(new Uint8Array(8)), (error) => {
    return error instanceof WireError && error.message === "test takes 9 bytes, there are 8";
  });
});

Deno.test("a field reader reads one field where it stands", () => {
  const bytes = Uint8Array.of(0xee, 1, 0, 0, 2, 3, 0, 0, 0, 4);
  equal(layout.reader("b")(bytes, 1), 0x0203);
  equal(layout.reader("c")(bytes, 1), 4);
});

Deno.test("little-endian numbers and arrays", () => {
  const le = struct("le", { list: array(littleEndian(u16), 2), n: littleEndian(u32) });
  const bytes = le.encode({ list: [1, 0x0203], n: 0x04050607 });
  deepEqual([...bytes], [1, 0, 3, 2, 7, 6, 5, 4]);
  deepEqual(le.decode(bytes), { list: [1, 0x0203], n: 0x04050607 });
});
