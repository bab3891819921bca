// Which TPM 1.2 commands name bytes beyond what any NV index can hold, alone and in a transport
// session; where that encrypts, what it wraps is noise and must pass.

import { strictEqual } from "node:assert/strict";
import { Tpm12 } from "../wire/codes.ts";
import { isBeyondNv } from "./nv_bounds.ts";

const INDEX = 0x1001;

function numbers(...values: readonly number[]): number[] {
  return values.flatMap((value) => [value >>> 24, value >>> 16, value >>> 8, value]);
}

/** Tag and size are not looked at. */
function command(...values: readonly number[]): Uint8Array {
  return Uint8Array.of(0, 0, ...numbers(0, ...values));
}

function isRefused(code: number, bytes: Uint8Array): boolean {
  return isBeyondNv(code, bytes, bytes.length);
}

function alone(offset: number, size: number, code: number = Tpm12.ORD_NV_WriteValue): boolean {
  return isRefused(code, command(code, INDEX, offset, size));
}

function wrapped(offset: number, size: number, code: number = Tpm12.ORD_NV_WriteValue): boolean {
  const inside = command(code, INDEX, offset, size);
  const outside = command(Tpm12.ORD_ExecuteTransport, inside.length);
  return isRefused(Tpm12.ORD_ExecuteTransport, Uint8Array.of(...outside, ...inside));
}

Deno.test("NV accesses are refused whose offset and size wrap around [nv-wrap]", () => {
  for (const isIt of [alone, wrapped]) {
    strictEqual(isIt(0, 0x10), false);
    strictEqual(isIt(0xffffffef, 0x10), false);
    strictEqual(isIt(0xfffffff0, 0x10), true);
    strictEqual(isIt(0x80000000, 0x80000000), true);
    strictEqual(isIt(0xfffffff0, 0x10, Tpm12.ORD_NV_ReadValueAuth), true);
    strictEqual(isIt(0xfffffff0, 0x10, Tpm12.ORD_NV_ReadValueAuth + 1), false);
  }
  strictEqual(alone(0xfffffff0, 0xfffffff0), true);
  strictEqual(wrapped(0xfffffff0, 0xfffffff0), false, "libtpms refuses it, and it may be noise");
});

Deno.test("what is too short is left to libtpms", () => {
  const bytes = command(Tpm12.ORD_NV_WriteValue, INDEX, 0xfffffff0, 0x10);
  for (let size = 0; size < bytes.length; size++) {
    strictEqual(isBeyondNv(Tpm12.ORD_NV_WriteValue, bytes, size), false);
  }
  const inside = command(Tpm12.ORD_NV_WriteValue, INDEX, 0xfffffff0, 0x10);
  const outside = Uint8Array.of(...command(Tpm12.ORD_ExecuteTransport, inside.length), ...inside);
  for (let size = 0; size < outside.length; size++) {
    strictEqual(isBeyondNv(Tpm12.ORD_ExecuteTransport, outside, size), false);
  }
});
