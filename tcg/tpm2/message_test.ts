// Tests of whole messages: real ones are read to the last byte and written again; broken ones are
// read as far as they go, with the place, and written again, too.

import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { commandByCode, COMMANDS } from "./commands.ts";
import { TPM2_CreatePrimary } from "./commands/hierarchies.ts";
import { TPM2_GetRandom } from "./commands/random.ts";
import { TPM_RH } from "./constants.ts";
import { readCommand, readResponse, writeCommand, writeResponse } from "./message.ts";

const unhex = (digits: string) => Uint8Array.from(Buffer.from(digits.replaceAll(" ", ""), "hex"));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** An ECC storage key below the owner, authorised by an empty password; as tpm2-tools sends it. */
const CREATE_PRIMARY = unhex(
  "8002 00000067 00000131 40000001" +
    "00000009 40000009 0000 00 0000" +
    "0004 0000 0000" +
    "001a 0023 000b 00030472 0000 0006 0080 0043 0010 0003 0010 0000 0000" +
    "0000 00000000",
);

/** Fills in the size that the header announces. */
function withSize(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(2, copy.length);
  return copy;
}

const COMMAND = withSize(CREATE_PRIMARY);

Deno.test("a command is read by name and written to the very same bytes", () => {
  const message = readCommand(COMMAND);
  strictEqual(message.fault, undefined);
  strictEqual(message.command, TPM2_CreatePrimary);
  deepStrictEqual(message.handles, [TPM_RH.OWNER]);
  deepStrictEqual(message.sessions, [{
    sessionHandle: TPM_RH.PW,
    nonce: unhex(""),
    sessionAttributes: 0,
    hmac: unhex(""),
  }]);
  deepStrictEqual(Object.keys(message.parameters), [
    "inSensitive",
    "inPublic",
    "outsideInfo",
    "creationPCR",
  ]);
  strictEqual(message.rest.length, 0);
  deepStrictEqual(writeCommand(message), COMMAND);
});

Deno.test("an encrypted first parameter is kept as it came", () => {
  const digits = "8002 0000001d 00000146 00000009 02000000 0000 21 0000 0003 a1b2c3";
  const bytes = withSize(unhex(digits));
  const message = readCommand(bytes);
  strictEqual(message.fault, undefined);
  strictEqual(hex(message.encrypted!), "a1b2c3");
  deepStrictEqual(message.parameters, {});
  deepStrictEqual(writeCommand(message), bytes);
});

Deno.test("a response is read with its command, sessions and encryption included", () => {
  const plain = withSize(unhex("8001 00000000 00000000 0004 01020304"));
  const message = readResponse(plain, TPM2_GetRandom);
  strictEqual(message.fault, undefined);
  deepStrictEqual(message.parameters, { randomBytes: unhex("01020304") });
  deepStrictEqual(writeResponse(message), plain);

  const session = withSize(
    unhex("8002 00000000 00000000 00000006 0004 01020304 0002 aabb 41 0001 cc"),
  );
  const encrypted = readResponse(session, TPM2_GetRandom);
  strictEqual(encrypted.fault, undefined);
  strictEqual(hex(encrypted.encrypted!), "01020304");
  strictEqual(encrypted.sessions?.length, 1);
  deepStrictEqual(writeResponse(encrypted), session);

  const failed = unhex("8001 0000000a 0000098e");
  const refused = readResponse(failed, undefined);
  strictEqual(refused.fault, undefined);
  strictEqual(refused.code, 0x98e);
  deepStrictEqual(writeResponse(refused), failed);
});

Deno.test("what is wrong is said with its place, and what came before it is read", () => {
  const cut = COMMAND.slice(0, 60);
  const message = readCommand(cut);
  match(message.fault!.message, /^inPublic\.objectAttributes|^inPublic at byte \d+: /);
  deepStrictEqual(Object.keys(message.parameters), ["inSensitive"]);
  deepStrictEqual(writeCommand(message), cut);

  const longer = Uint8Array.of(...COMMAND, 0xff);
  const left = readCommand(longer);
  match(left.fault!.message, /^byte 2: the header says \d+ bytes, there are \d+$/);
  deepStrictEqual(left.rest, Uint8Array.of(0xff));
  deepStrictEqual(writeCommand(left), longer);

  const unknown = unhex("8001 0000000c 0000ffff 1234");
  match(readCommand(unknown).fault!.message, /^byte 6: command 0xffff is not known$/);
  deepStrictEqual(writeCommand(readCommand(unknown)), unknown);

  throws(() => readCommand(unhex("8001 0000")), /^WireError: commandSize at byte 2/);
});

Deno.test("cut anywhere, a message is written to what it was", () => {
  for (let length = 10; length <= COMMAND.length; length++) {
    const cut = COMMAND.slice(0, length);
    const message = readCommand(cut);
    strictEqual(message.fault === undefined, length === COMMAND.length);
    deepStrictEqual(writeCommand(message), cut);
  }
});

Deno.test("a million bytes that are no message take no time to speak of", () => {
  const random = mulberry(1);
  const begin = performance.now();
  for (let round = 0; round < 4000; round++) {
    const bytes = COMMAND.slice(0, 10 + random() % (COMMAND.length - 9));
    for (let change = 0; change < 3; change++) bytes[random() % bytes.length] = random();
    if (round % 2 === 0) {
      const command = COMMANDS[random() % COMMANDS.length]!;
      new DataView(bytes.buffer).setUint32(6, command.code);
    }
    deepStrictEqual(writeCommand(readCommand(bytes)), bytes);
    const command = COMMANDS[random() % COMMANDS.length]!;
    new DataView(bytes.buffer).setUint32(6, 0);
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

Deno.test("each command is found by its code", () => {
  strictEqual(new Set(COMMANDS.map((command) => command.code)).size, COMMANDS.length);
  for (const command of COMMANDS) strictEqual(commandByCode(command.code), command);
});
