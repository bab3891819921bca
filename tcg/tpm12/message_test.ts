// Tests of whole messages: real ones are read to the last byte and written again; broken ones are
// read as far as they go, with the place, and written again, too.

import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { commandByCode, COMMANDS } from "./commands.ts";
import { TPM_GetCapability } from "./commands/capabilities.ts";
import { TPM_NV_DefineSpace, TPM_NV_ReadValue } from "./commands/nv.ts";
import { TPM_CreateWrapKey } from "./commands/storage.ts";
import { TPM_KH } from "./constants.ts";
import { readCommand, readResponse, writeCommand, writeResponse } from "./message.ts";
import { TPM_ORD } from "./ordinals.ts";
import { resultOf } from "./results.ts";
import { TPM_KEY } from "./structures/keys.ts";
import type { TPM_NV_DATA_PUBLIC } from "./structures/storage.ts";

const unhex = (digits: string) => Uint8Array.from(Buffer.from(digits.replaceAll(" ", ""), "hex"));

/** Fills in the size that the header announces. */
function message(digits: string): Uint8Array<ArrayBuffer> {
  const bytes = unhex(digits);
  new DataView(bytes.buffer).setUint32(2, bytes.length);
  return bytes;
}

const NONCE = "11".repeat(20);
const HMAC = "22".repeat(20);
const AUTH = `02000003 ${NONCE} 01 ${HMAC}`;
const SHORT = `0003 000000 1f ${"00".repeat(20)}`;

/** An NV index of eight bytes that the owner writes. */
const DEFINE_SPACE = message(
  "00c2 00000000 000000cc" +
    `0018 00001001 ${SHORT} ${SHORT} 0017 00000002 00 00 00 00000008` +
    `${"33".repeat(20)} ${AUTH}`,
);

/** A signing key below the storage root key. */
const KEY_INFO = "0010 00000002 01" +
  "00000001 0001 0002 0000000c 00000800 00000002 00000000" +
  "00000000 00000000 00000000";
const CREATE_KEY = message(
  `00c2 00000000 0000001f 40000000 ${NONCE} ${NONCE} 01010000 ${KEY_INFO} ${AUTH}`,
);

Deno.test("a command is read by name and written to the very same bytes", () => {
  const read = readCommand(DEFINE_SPACE);
  strictEqual(read.fault, undefined);
  strictEqual(read.command, TPM_NV_DefineSpace);
  const pubInfo = read.parameters["pubInfo"] as TPM_NV_DATA_PUBLIC;
  strictEqual(pubInfo.nvIndex, 0x1001);
  strictEqual(pubInfo.dataSize, 8);
  deepStrictEqual(read.sessions, [{
    authHandle: 0x02000003,
    nonceOdd: unhex(NONCE),
    continueAuthSession: 1,
    authData: unhex(HMAC),
  }]);
  strictEqual(read.rest.length, 0);
  deepStrictEqual(writeCommand(read), DEFINE_SPACE);
});

Deno.test("handles stand before the parameters, keys are those of 1.1 or 1.2", () => {
  const older = readCommand(CREATE_KEY);
  strictEqual(older.fault, undefined);
  strictEqual(older.command, TPM_CreateWrapKey);
  deepStrictEqual(older.handles, [TPM_KH.SRK]);
  ok("ver" in (older.parameters["keyInfo"] as TPM_KEY));
  deepStrictEqual(writeCommand(older), CREATE_KEY);

  const bytes = message(
    `00c2 00000000 0000001f 40000000 ${NONCE} ${NONCE} 00280000 ${KEY_INFO} ${AUTH}`,
  );
  const newer = readCommand(bytes);
  strictEqual(newer.fault, undefined);
  const shown = TPM_KEY.show(newer.parameters["keyInfo"] as TPM_KEY);
  strictEqual(shown.type, "TPM_KEY12");
  deepStrictEqual(writeCommand(newer), bytes);
});

Deno.test("a response is read with its command, authorisation included", () => {
  const plain = message("00c4 00000000 00000000 00000004 01020304");
  const read = readResponse(plain, TPM_GetCapability);
  strictEqual(read.fault, undefined);
  deepStrictEqual(read.parameters, { resp: unhex("01020304") });
  deepStrictEqual(writeResponse(read), plain);

  const authorised = message(`00c5 00000000 00000000 00000002 aabb ${NONCE} 00 ${HMAC}`);
  const owners = readResponse(authorised, TPM_NV_ReadValue);
  strictEqual(owners.fault, undefined);
  deepStrictEqual(owners.parameters, { data: unhex("aabb") });
  strictEqual(owners.sessions?.length, 1);
  deepStrictEqual(writeResponse(owners), authorised);

  const failed = unhex("00c4 0000000a 00000001");
  const refused = readResponse(failed, undefined);
  strictEqual(refused.fault, undefined);
  strictEqual(resultOf(refused.code).name, "TPM_AUTHFAIL");
  deepStrictEqual(writeResponse(refused), failed);
});

Deno.test("what an encrypted transport session wraps is kept as it came", () => {
  const read = readCommand(CREATE_KEY, { encrypted: true });
  strictEqual(read.fault, undefined);
  deepStrictEqual(read.handles, [TPM_KH.SRK]);
  deepStrictEqual(read.parameters, {});
  strictEqual(read.encrypted?.length, CREATE_KEY.length - 10 - 4 - 45);
  strictEqual(read.sessions?.length, 1);
  deepStrictEqual(writeCommand(read), CREATE_KEY);
});

Deno.test("what is wrong is said with its place, and what came before it is read", () => {
  const cut = CREATE_KEY.slice(0, 60);
  const read = readCommand(cut);
  match(read.fault!.message, /^keyInfo\.\w+(\.\w+)* at byte \d+: /);
  deepStrictEqual(Object.keys(read.parameters), ["dataUsageAuth", "dataMigrationAuth"]);
  deepStrictEqual(writeCommand(read), cut);

  const longer = Uint8Array.of(...CREATE_KEY, 0xff);
  const left = readCommand(longer);
  match(left.fault!.message, /^byte 2: the header says \d+ bytes, there are \d+$/);
  deepStrictEqual(left.rest, Uint8Array.of(0xff));
  deepStrictEqual(writeCommand(left), longer);

  const fewer = message("00c2 00000000 00000050");
  match(readCommand(fewer).fault!.message, /the tag announces 1 authorisations, there are 0 bytes/);

  const deleted = message("00c1 00000000 00000082 1234");
  match(readCommand(deleted).fault!.message, /^byte 6: command TPM_GetAuditEvent is not known$/);
  const unknown = message("00c1 00000000 0000ffff 1234");
  match(readCommand(unknown).fault!.message, /^byte 6: command 0xffff is not known$/);
  deepStrictEqual(writeCommand(readCommand(unknown)), unknown);

  throws(() => readCommand(unhex("00c1 0000")), /^WireError: paramSize at byte 2/);
});

Deno.test("cut anywhere, a message is written to what it was", () => {
  for (const bytes of [DEFINE_SPACE, CREATE_KEY]) {
    for (let length = 10; length <= bytes.length; length++) {
      const cut = bytes.slice(0, length);
      const read = readCommand(cut);
      strictEqual(read.fault === undefined, length === bytes.length);
      deepStrictEqual(writeCommand(read), cut);
    }
  }
});

Deno.test("bytes that are no message are written to what they were, in no time", () => {
  const random = mulberry(1);
  const begin = performance.now();
  for (let round = 0; round < 4000; round++) {
    const bytes = CREATE_KEY.slice(0, 10 + random() % (CREATE_KEY.length - 9));
    for (let change = 0; change < 3; change++) bytes[random() % bytes.length] = random();
    const header = new DataView(bytes.buffer);
    const command = COMMANDS[random() % COMMANDS.length]!;
    if (round % 2 === 0) {
      header.setUint16(0, 0xc1 + random() % 3);
      header.setUint32(2, bytes.length);
      header.setUint32(6, command.code);
    }
    deepStrictEqual(writeCommand(readCommand(bytes)), bytes);
    header.setUint16(0, 0xc4 + random() % 3);
    header.setUint32(6, 0);
    deepStrictEqual(writeResponse(readResponse(bytes, command)), bytes);
  }
  const LIMIT_MS = 20_000;
  ok(performance.now() - begin < LIMIT_MS);
});

/** Numbers that are the same at each run. */
function mulberry(seed: number): () => number {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let mixed = Math.imul(seed ^ seed >>> 15, 1 | seed);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return (mixed ^ mixed >>> 14) >>> 0;
  };
}

Deno.test("each command is found by its ordinal", () => {
  strictEqual(new Set(COMMANDS.map((command) => command.code)).size, COMMANDS.length);
  for (const command of COMMANDS) strictEqual(commandByCode(command.code), command);
  const without = Object.entries(TPM_ORD).filter(([, code]) => commandByCode(code) === undefined);
  deepStrictEqual(without.map(([name]) => name), [
    "GetAuditEvent",
    "GetAuditEventSigned",
    "GetOrdinalAuditStatus",
    "FieldUpgrade",
  ]);
});

Deno.test("what a return code says", () => {
  strictEqual(resultOf(0).name, "TPM_SUCCESS");
  strictEqual(resultOf(0x802).warning, true);
  strictEqual(resultOf(0x401).meaning, "a code of the TPM's vendor");
  strictEqual(resultOf(0x3011).meaning, "a code of another layer than the TPM");
  strictEqual(resultOf(0x60).name, "0x60");
});
