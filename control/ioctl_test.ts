// Unit tests of the control protocol as ioctls: numbers and layouts as the C header has them.
import { deepEqual, equal } from "node:assert/strict";
import { ioctlOfRequest, ioctls } from "./ioctl.ts";
import type { CommandName } from "./protocol.ts";

/** Request numbers of x86-64, as a C compiler made them of swtpm's header. */
const NUMBERS: Record<CommandName, number> = {
  GET_CAPABILITY: 0x80085000,
  INIT: 0xc0045001,
  SHUTDOWN: 0x80045002,
  GET_TPMESTABLISHED: 0x80085003,
  SET_LOCALITY: 0xc0045004,
  HASH_START: 0x80045005,
  HASH_DATA: 0xd0045006,
  HASH_END: 0x80045007,
  CANCEL_TPM_CMD: 0x80045008,
  STORE_VOLATILE: 0x80045009,
  RESET_TPMESTABLISHED: 0xc004500a,
  GET_STATEBLOB: 0xcc10500b,
  SET_STATEBLOB: 0xcc0c500c,
  STOP: 0x8004500d,
  GET_CONFIG: 0x8008500e,
  SET_DATAFD: 0x8004500f,
  SET_BUFFERSIZE: 0xc0105010,
  GET_INFO: 0xcc105011,
  LOCK_STORAGE: 0xc0045012,
};

Deno.test("request numbers are those of the C header", () => {
  for (const [name, number] of Object.entries(NUMBERS)) {
    const { request } = ioctls[name as CommandName];
    equal(request.toString(16), number.toString(16), name);
    equal(ioctlOfRequest(number)?.name, name);
  }
  equal(Object.keys(ioctls).length, Object.keys(NUMBERS).length);
});

Deno.test("a number of another device is none of ours", () => {
  equal(ioctlOfRequest(0x5401), undefined);
  equal(ioctlOfRequest(0x80045000), undefined);
});

Deno.test("numbers stand in the host's byte order", () => {
  const { input, output } = ioctls.GET_STATEBLOB;
  deepEqual([...input.encode({ flags: 1, type: 2, offset: 0x0304 })], [
    ...[1, 0, 0, 0],
    ...[2, 0, 0, 0],
    ...[4, 3, 0, 0],
  ]);
  deepEqual(
    [...output.encode({ result: 0x800, flags: 2, totalLength: 0x10203, length: 5 })],
    [...[0, 8, 0, 0], ...[2, 0, 0, 0], ...[3, 2, 1, 0], ...[5, 0, 0, 0]],
  );
});

Deno.test("the capabilities are one 64-bit number", () => {
  deepEqual([...ioctls.GET_CAPABILITY.output.encode({ capabilities: 0x16fff })], [
    ...[0xff, 0x6f, 1, 0],
    ...[0, 0, 0, 0],
  ]);
});

Deno.test("the flags of GET_INFO are one 64-bit number", () => {
  const bytes = Uint8Array.of(8, 0, 0, 0, 9, 0, 0, 0, 7, 0, 0, 0, 1, 1, 1, 1);
  deepEqual(ioctls.GET_INFO.input.decode(bytes), { flags: 8, high: 9, offset: 7 });
});

Deno.test("one byte stays one byte, behind it comes padding", () => {
  deepEqual(ioctls.SET_LOCALITY.input.decode(Uint8Array.of(4, 1, 1, 1)), { locality: 4 });
  deepEqual([...ioctls.GET_TPMESTABLISHED.output.encode({ result: 0, bit: 1 })], [
    ...[0, 0, 0, 0],
    ...[1, 0, 0, 0],
  ]);
});
