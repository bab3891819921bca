// Tests of the writers: what a line and an object tell of a command, and what they keep.

import { deepStrictEqual, doesNotMatch, match, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Exchange, TraceEvent } from "./exchange.ts";
import { traceObject } from "./json.ts";
import { COLOURS, PLAIN, textLine } from "./text.ts";

const unhex = (digits: string) => Uint8Array.from(Buffer.from(digits.replaceAll(" ", ""), "hex"));
const digitsOf = (text: string) => Buffer.from(text).toString("hex");

/** A message of `digits`, in which "SIZE" stands for its size. */
function message(digits: string): Uint8Array {
  const bytes = unhex(digits.replace("SIZE", "00000000"));
  new DataView(bytes.buffer).setUint32(2, bytes.length);
  return bytes;
}

function exchange(command: string, response: string, more: Partial<Exchange> = {}): Exchange {
  return {
    kind: "command",
    timeMs: 12.345,
    client: { number: 2, process: "tpm2_x" },
    durationMs: 0.125,
    command: message(command),
    response: message(response),
    ...more,
  };
}

const line = (event: Exchange, secrets = false) => textLine(event, { secrets, palette: PLAIN });
/** The object as it is written. */
function object(event: TraceEvent, secrets = false): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(traceObject(event, { secrets })));
}

const PASSWORD = "open sesame";
const SEALED = "forty thieves";
/** TPM2_Create with a password, for a sealed object with another one. */
const SEAL = "8002 SIZE 00000153 80000001" +
  `00000014 40000009 0000 01 000b ${digitsOf(PASSWORD)}` +
  `001c 000b ${digitsOf("magic words")} 000d ${digitsOf(SEALED)}` +
  "000e 0008 000b 00000052 0000 0010 0000" +
  "0000 00000001 000b 03 810000";

Deno.test("a line has what went in by its meaning, and what came of it", () => {
  strictEqual(
    line(exchange(SEAL, "8001 SIZE 000002c2")),
    "0.012345 #2 tpm2_x L0 TPM2_Create(0x80000001, " +
      "inSensitive={userAuth=<11 bytes>, data=<13 bytes>}, " +
      "keyedhash sha256 fixedTPM fixedParent userWithAuth, creationPCR=sha256:0,7) " +
      "[password <11 bytes>] = TPM_RC_ATTRIBUTES (0x2c2) parameter 2, inPublic: " +
      "the attributes do not fit each other or the use <0.000125>",
  );
  const random = "8001 SIZE 0000017b 0004";
  strictEqual(
    line(exchange(random, "8001 SIZE 00000000 0004 01020304", { client: undefined, locality: 3 })),
    "0.012345 L3 TPM2_GetRandom(bytesRequested=4) = randomBytes=<4 bytes> <0.000125>",
  );
  strictEqual(
    line({ ...exchange(random, random), response: undefined, durationMs: undefined }),
    "0.012345 #2 tpm2_x L0 TPM2_GetRandom(bytesRequested=4) = ?",
  );
});

Deno.test("sessions and what they encrypt are said to be", () => {
  const create = "8002 SIZE 00000146 00000009 02000000 0000 21 0000 0003 a1b2c3";
  strictEqual(
    line(exchange(create, "8001 SIZE 0000098e")),
    "0.012345 #2 tpm2_x L0 TPM2_StirRandom(inData=encrypted <3 bytes>) " +
      "[HMAC session 0x02000000 continueSession decrypt] = TPM_RC_AUTH_FAIL (0x98e) session 1: " +
      "the password or HMAC is wrong; the failure counts against guessing <0.000125>",
  );
});

Deno.test("JSON has the same with the names of the specification", () => {
  deepStrictEqual(object(exchange(SEAL, "8001 SIZE 000002c2")), {
    time: 0.012345,
    client: 2,
    process: "tpm2_x",
    locality: 0,
    command: "TPM2_Create",
    code: 0x153,
    handles: [{ name: "parentHandle", handle: "0x80000001", meaning: "0x80000001" }],
    parameters: {
      inSensitive: { userAuth: { secret: 11 }, data: { secret: 13 } },
      inPublic: {
        type: "KEYEDHASH",
        nameAlg: "SHA256",
        objectAttributes: ["fixedTPM", "fixedParent", "userWithAuth"],
        authPolicy: "",
        parameters: { scheme: { scheme: "NULL" } },
        unique: "",
      },
      outsideInfo: "",
      creationPCR: [{ hash: "SHA256", pcrSelect: [0, 7] }],
    },
    sessions: [{
      sessionHandle: { handle: "0x40000009", meaning: "password" },
      nonce: "",
      sessionAttributes: ["continueSession"],
      hmac: { secret: 11 },
    }],
    result: {
      code: 0x2c2,
      name: "TPM_RC_ATTRIBUTES",
      meaning: "the attributes do not fit each other or the use",
      parameter: { number: 2, name: "inPublic" },
    },
    response: { handles: [], parameters: {}, sessions: [] },
    duration: 0.000125,
  });
});

/** Whether text or JSON has any of the words, as they are or as digits. */
function tells(event: Exchange, words: readonly string[], secrets: boolean): boolean[] {
  const told = [line(event, secrets), JSON.stringify(object(event, secrets))];
  return told.map((text) =>
    words.some((word) => text.includes(word) || text.includes(digitsOf(word)))
  );
}

Deno.test("secrets are shown only when they are asked for", () => {
  const refused = "8001 SIZE 00000101";
  const words = [PASSWORD, SEALED, "magic words"];
  deepStrictEqual(tells(exchange(SEAL, refused), words, false), [false, false]);
  for (const word of words) {
    deepStrictEqual(tells(exchange(SEAL, refused), [word], true), [true, true]);
  }
  const unseal = exchange(
    `8002 SIZE 0000015e 80000001 00000009 40000009 0000 01 0000`,
    `8002 SIZE 00000000 0000000f 000d ${digitsOf(SEALED)} 0000 01 0000`,
  );
  match(line(unseal), /= outData=<13 bytes> </);
  deepStrictEqual(tells(unseal, words, false), [false, false]);
  deepStrictEqual(tells(unseal, words, true), [true, true]);
});

Deno.test("what cannot be read tells no more than where that begins", () => {
  const refused = "8001 SIZE 00000095";
  // The same command as one that says it has no sessions, cut anywhere, with other codes.
  const whole = message(SEAL.replace("8002", "8001"));
  const words = [PASSWORD, SEALED, "magic words", "sesame", "sesa", "thie"];
  for (let length = 0; length <= whole.length; length++) {
    for (const code of [0x153, 0x131, 0x162, 0x161, 0x137, 0x123, 0x0]) {
      const command = whole.slice(0, length);
      if (length >= 10) new DataView(command.buffer).setUint32(6, code);
      const cut = { ...exchange(SEAL, refused), command };
      deepStrictEqual(tells(cut, words, false), [false, false], line(cut));
    }
  }
  const cut = { ...exchange(SEAL, refused), command: message(SEAL).slice(0, 45) };
  match(
    line(cut),
    /TPM2_Create\(0x80000001, unreadable from byte \d+ on \(inSensitive[^)]*\), <\d+ bytes>\)/,
  );
  deepStrictEqual(object(cut).parameters, undefined);
});

Deno.test("what is attested of an NV index is its content", () => {
  const attest = "ff544347 8014 0000 0000 0000000000000001 00000000 00000000 01 0000000000000002" +
    `0000 0000 000d ${digitsOf(SEALED)}`;
  const size = (attest.replaceAll(" ", "").length / 2).toString(16).padStart(4, "0");
  const certify = exchange(
    "8001 SIZE 00000184 80000001 01500000 01500000 0000 0010 000d 0000",
    `8001 SIZE 00000000 ${size} ${attest} 0010`,
  );
  match(line(certify), /nvContents=<13 bytes>/);
  deepStrictEqual(tells(certify, [SEALED], false), [false, false]);
  deepStrictEqual(tells(certify, [SEALED], true), [true, true]);
});

Deno.test("what a client is called does no more than be read", () => {
  const evil = exchange("8001 SIZE 0000017b 0004", "8001 SIZE 00000101", {
    client: { number: 1, process: "a\x1b[2J\n\u009bb L0 TPM2_X" },
  });
  match(line(evil), /^\S+ #1 a\\x1b\[2J\\x0a\\x9bb\\x20L0\\x20TPM2_X L0 TPM2_GetRandom/);
  doesNotMatch(line(evil), /[^\x20-\x7e]/);
  const coloured = textLine(evil, { secrets: false, palette: COLOURS });
  strictEqual(coloured.includes("\x1b[31mTPM_RC_FAILURE"), true);
});

Deno.test("control commands and remarks stand between", () => {
  const options = { secrets: false, palette: PLAIN };
  const control = {
    kind: "control",
    timeMs: 1,
    name: "CMD_SET_STATEBLOB",
    request: { flags: 2, type: 1, length: 3 },
    result: 10,
    response: {},
  } as const;
  strictEqual(
    textLine(control, options),
    "0.001000 ctrl CMD_SET_STATEBLOB(flags=2, type=1, length=3) = TPM_BAD_ORDINAL",
  );
  deepStrictEqual(object(control), {
    time: 0.001,
    control: "CMD_SET_STATEBLOB",
    request: { flags: 2, type: 1, length: 3 },
    result: { code: 10, name: "TPM_BAD_ORDINAL" },
    response: {},
  });
  const remark = { kind: "remark", timeMs: 0, text: "it begins", date: new Date(0) } as const;
  strictEqual(textLine(remark, options), "0.000000 # it begins, 1970-01-01T00:00:00.000Z");
  deepStrictEqual(object(remark), {
    time: 0,
    remark: "it begins",
    date: "1970-01-01T00:00:00.000Z",
  });
});

Deno.test("a TPM 1.2 has its own names, handles and authorisations", () => {
  const nonce = "11".repeat(20);
  const hmac = "22".repeat(20);
  const read = exchange(
    `00c2 SIZE 000000cf 00001001 00000000 0000000d aabbccdd ${nonce} 01 ${hmac}`,
    `00c5 SIZE 00000000 0000000d ${digitsOf(SEALED)} ${nonce} 01 ${hmac}`,
  );
  strictEqual(
    line(read),
    "0.012345 #2 tpm2_x L0 TPM_NV_ReadValue(nvIndex=NV 0x00001001, offset=0, dataSize=13) " +
      "[session 0xaabbccdd continueAuthSession] = data=<13 bytes> <0.000125>",
  );
  deepStrictEqual(tells(read, [SEALED], false), [false, false]);
  deepStrictEqual(tells(read, [SEALED], true), [true, true]);
  // With it and the nonces, whoever reads the trace could try out pass phrases.
  strictEqual(JSON.stringify(object(read)).includes(hmac), false);
  const surplus = `00c1 SIZE 00000015 00000007 ${nonce}`;
  strictEqual(
    line(exchange(surplus, "00c4 SIZE 00000003")),
    "0.012345 #2 tpm2_x L0 TPM_PcrRead(unreadable from byte 14 on, <20 bytes>) = " +
      "TPM_BAD_PARAMETER (0x3): a parameter is not right <0.000125>",
  );
  strictEqual(
    line(
      exchange("00c1 SIZE 00000065 00000005 00000004 00000111", "00c4 SIZE 00000000 00000001 01"),
    ),
    "0.012345 #2 tpm2_x L0 TPM_GetCapability(capArea=PROPERTY, subCap=OWNER) = resp=true <0.000125>",
  );
});

Deno.test("a command of TPM 1.2 without a declaration has its name, or its number", () => {
  const name = (ordinal: string) =>
    object(exchange(`00c1 SIZE ${ordinal}`, "00c4 SIZE 0000000a"))["command"];
  strictEqual(name("00000082"), "TPM_GetAuditEvent");
  strictEqual(name("00007fff"), "TPM_ORD_0x00007fff");
});

Deno.test("what a guess could be tried out against is not told", () => {
  const kept = "7e".repeat(20);
  const kept32 = "7e".repeat(32);
  const nonce = "11".repeat(20);
  const auth = `aabbccdd ${nonce} 00 ${kept}`;
  const proof = `${nonce} 00 ${kept}`;
  const pairs: readonly (readonly [string, string])[] = [
    // TPM2_NV_SetBits, TPM2_Hash, TPM2_Sign by an HMAC, TPM2_PolicyNV
    [`8001 SIZE 00000135 40000001 01500000 ${"7e".repeat(8)}`, "8001 SIZE 00000101"],
    [
      "8001 SIZE 0000017d 0001 61 000b 40000007",
      `8001 SIZE 00000000 0020 ${kept32} 8024 40000007 0000`,
    ],
    [
      "8001 SIZE 0000015d 80000000 0000 0010 8024 40000007 0000",
      `8001 SIZE 00000000 0005 000b ${kept32}`,
    ],
    [
      `8001 SIZE 00000149 40000001 01500000 03000000 0008 ${"7e".repeat(8)} 0000 0000`,
      "8001 SIZE 00000101",
    ],
    // TPM_SHA1Complete, TPM_DirRead, TPM_ChangeAuthAsymFinish
    ["00c1 SIZE 000000a2 00000001 61", `00c4 SIZE 00000000 ${kept}`],
    ["00c1 SIZE 0000001a 00000000", `00c4 SIZE 00000000 ${kept}`],
    [
      `00c2 SIZE 0000000f 40000000 00000001 0004 ${kept} 00000000 00000000 ${auth}`,
      `00c5 SIZE 00000000 00000000 ${nonce} ${kept} ${proof}`,
    ],
  ];
  for (const [command, response] of pairs) {
    const event = exchange(command, response);
    const [text, json] = [line(event), JSON.stringify(object(event))];
    for (const told of [text, json]) {
      doesNotMatch(told, /7e7e|9114861777597660798|unreadable/, told);
    }
    match(JSON.stringify(object(event, true)), /7e7e|9114861777597660798/);
  }
});
