// Unit tests of requests to a character device in user space. The bytes were recorded with strace
// on Linux 6.1 between its kernel and this program, while the named clients used the device.
import { deepEqual, throws } from "node:assert/strict";
import { WireError } from "../wire/codec.ts";
import { type CuseRequest, readCuseRequest } from "./cuse_request.ts";

const hex = (text: string) =>
  Uint8Array.from(text.match(/\w\w/g) ?? [], (pair) => parseInt(pair, 16));

/** What follows `unique` in every header: node 0, user 0, group 0, a process id. */
const FROM_ROOT = "0000000000000000 00000000 00000000 90000000 00000000";

const RECORDED: [string, string, CuseRequest][] = [
  [
    "open of a shell",
    `30000000 0e000000 1000000000000000 ${FROM_ROOT} 02880000 00000000`,
    { kind: "open", unique: 16 },
  ],
  [
    "ioctl PTM_SET_LOCALITY of swtpm_ioctl -l 3",
    `4c000000 27000000 0c00000000000000 ${FROM_ROOT}
     0000000000000000 00000000 045004c0 a4586e0dff7f0000 04000000 04000000 03000000`,
    {
      kind: "ioctl",
      unique: 12,
      command: 0xc0045004,
      input: Uint8Array.of(3, 0, 0, 0),
      outputMax: 4,
    },
  ],
  [
    "TPM2_GetRandom of tpm2_getrandom, opened with O_NONBLOCK",
    `5c000000 10000000 1200000000000000 ${FROM_ROOT}
     0000000000000000 0000000000000000 0c000000 02000000 e7d316963ad32c6e 02880000 00000000
     80010000000c0000017b0008`,
    { kind: "write", unique: 18, bytes: hex("80010000000c0000017b0008") },
  ],
  [
    "its read of the response's header",
    `50000000 0f000000 1600000000000000 ${FROM_ROOT}
     0000000000000000 0000000000000000 0a000000 02000000 e7d316963ad32c6e 02880000 00000000`,
    { kind: "read", unique: 22, size: 10, waits: false },
  ],
  [
    "its poll before that",
    `40000000 28000000 1400000000000000 ${FROM_ROOT}
     0000000000000000 0300000000000000 01000000 19000000`,
    { kind: "poll", unique: 20, handle: 3, sleeps: true },
  ],
  [
    "the last close",
    `40000000 12000000 0800000000000000 ${FROM_ROOT}
     0000000000000000 02800000 00000000 0000000000000000`,
    { kind: "release", unique: 8 },
  ],
];

Deno.test("recorded requests are understood", async (t) => {
  for (const [name, bytes, expected] of RECORDED) {
    await t.step(name, () => deepEqual(readCuseRequest(hex(bytes)), expected));
  }
});

Deno.test("a read without O_NONBLOCK waits", () => {
  const request = `50000000 0f000000 1600000000000000 ${FROM_ROOT}
     0000000000000000 0000000000000000 00100000 02000000 0000000000000000 02800000 00000000`;
  deepEqual(readCuseRequest(hex(request)), { kind: "read", unique: 22, size: 4096, waits: true });
});

Deno.test("an interrupt names the request that nobody waits for", () => {
  const request = `30000000 24000000 1700000000000000 ${FROM_ROOT} 1600000000000000`;
  deepEqual(readCuseRequest(hex(request)), { kind: "interrupt", unique: 22 });
});

Deno.test("a number beyond 32 bits is kept whole", () => {
  const request = `30000000 0e000000 0200000003000000 ${FROM_ROOT} 02800000 00000000`;
  deepEqual(readCuseRequest(hex(request)), { kind: "open", unique: 3 * 2 ** 32 + 2 });
});

Deno.test("what no device is asked for is told by its number", () => {
  const request = `28000000 26000000 0200000000000000 ${FROM_ROOT}`;
  deepEqual(readCuseRequest(hex(request)), { kind: "unknown", unique: 2, opcode: 38 });
});

Deno.test("bytes that are no request are refused", () => {
  const open = hex(`30000000 0e000000 1000000000000000 ${FROM_ROOT} 02880000 00000000`);
  throws(() => readCuseRequest(open.subarray(0, 39)), WireError);
  throws(() => readCuseRequest(open.subarray(0, 47)), WireError);
  const write = hex(RECORDED[2]![1]);
  write[56] = 13; // says that one byte more was written than is there
  throws(() => readCuseRequest(write), /announces 13 bytes, there are 12/);
});
