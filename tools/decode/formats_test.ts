// Tests of the readers: each format is told by its first bytes and gives the same messages, and what
// is damaged or cut off is read up to there.

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Captured } from "./captured.ts";
import { formatOf, readCapture } from "./formats.ts";
import { Input, inputOf } from "./input.ts";
import { HTTP, pcapFile, pcapngFile, segment, tssPacket } from "./pcapng_fake.ts";

const unhex = (digits: string) => Uint8Array.from(Buffer.from(digits.replaceAll(" ", ""), "hex"));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const textOf = (text: string) => new TextEncoder().encode(text);
const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

const COMMAND = unhex("80010000000c0000017b0008");
const RESPONSE = unhex("8001000000140000000000080102030405060708");
const REFUSAL = unhex("80010000000a00000101");
const READ_CLOCK = unhex("80010000000a00000181");

function read(bytes: Uint8Array): Captured[] {
  return [...readCapture(inputOf(bytes))];
}

/** "> digits", "< digits", "! where: reason" */
function told(bytes: Uint8Array): string[] {
  return read(bytes).map((item) =>
    item.kind === "damage"
      ? `! ${item.where}: ${item.reason}`
      : `${item.direction === "command" ? ">" : "<"} ${hex(item.bytes)}`
  );
}

const CONVERSATION = [`> ${hex(COMMAND)}`, `< ${hex(RESPONSE)}`];

Deno.test("a log's dumps are read, ours and the C program's, whatever else it tells", () => {
  const log = `swtpm:  Data client connected
 TPM_Init: a line of libtpms with 80 01 in it
swtpm:  Ctrl Cmd: length 8
swtpm:  00 00 00 02 00 00 00 00 
swtpm:  Ctrl Rsp: length 4
swtpm:  00 00 00 00 
swtpm:  SWTPM_IO_Read: length 12
swtpm:  80 01 00 00 00 0C 00 00 01 7B 00 08 
swtpm:  SWTPM_IO_Write: length 20
swtpm:  80 01 00 00 00 14 00 00 00 00 00 08 01 02 03 04 
swtpm:  05 06 07 08 
`;
  deepStrictEqual(told(textOf(log)), ["> 0000000200000000", "< 00000000", ...CONVERSATION]);
  const rows = log.split("\n");
  const without = [...rows.slice(0, 9), ...rows.slice(10)].join("\n");
  deepStrictEqual(told(textOf(without)).slice(2), [
    `> ${hex(COMMAND)}`,
    "! line 9: 0 of a message's 20 bytes are there",
  ]);
  deepStrictEqual(told(textOf(rows.slice(0, 10).join("\n"))).slice(3), [
    `< ${hex(RESPONSE.subarray(0, 16))}`,
    "! line 9: 16 of a message's 20 bytes are there",
  ]);
  match(told(textOf("hello\nworld\n"))[0]!, /there was no TPM message/);
});

const NOTATIONS: Readonly<Record<string, string>> = {
  "a message to a line": `${hex(COMMAND)}\n${hex(RESPONSE)}\n`,
  "spaces, remarks, no last line end": "# random\n80 01 00 00 00 0C 00 00 01 7B 00 08\n\n" +
    "80 01 00 00 00 14 00 00 00 00 00 08 01 02 03 04 05 06 07 08",
  "marks": `> ${hex(COMMAND)}\r\n< ${hex(RESPONSE)}\r\n`,
  "words": `command: ${hex(COMMAND)}\nresponse: ${hex(RESPONSE)}\n`,
  "C": `0x80, 0x01, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x01, 0x7b, 0x00, 0x08\n${hex(RESPONSE)}`,
  "colons": `80:01:00:00:00:0c:00:00:01:7b:00:08\n${hex(RESPONSE)}`,
  "xxd":
    `00000000: 8001 0000 000c 0000 0144 0000  .......D....\n`.replace("0144 0000", "017b 0008") +
    "00000000: 8001 0000 0014 0000 0000 0008 0102 0304  ................\n" +
    "00000010: 0506 0708                                abcd\n",
  "hexdump -C": "00000000  80 01 00 00 00 0c 00 00  01 7b 00 08              |.........{..|\n" +
    "0000000c\n".slice(0, 0) +
    "00000000  80 01 00 00 00 14 00 00  00 00 00 08 01 02 03 04  |................|\n" +
    "00000010  05 06 07 08                                       |abcd|\n",
  "od": "000000 80 01 00 00 00 0c 00 00 01 7b 00 08\n" +
    "000000 80 01 00 00 00 14 00 00 00 00 00 08 01 02 03 04\n000010 05 06 07 08\n",
};

for (const [notation, text] of Object.entries(NOTATIONS)) {
  Deno.test(`hex digits are read: ${notation}`, () => {
    deepStrictEqual(told(textOf(text)), CONVERSATION);
  });
}

Deno.test("what may be either goes by what came before it", () => {
  const lines = [COMMAND, REFUSAL, READ_CLOCK, RESPONSE].map(hex).join("\n");
  deepStrictEqual(told(textOf(lines)).map((line) => line[0]).join(""), "><><");
  deepStrictEqual(told(joined(COMMAND, COMMAND, REFUSAL)).map((line) => line[0]).join(""), ">><");
});

Deno.test("digits that end or go wrong are read up to there", () => {
  const short = textOf(`${hex(COMMAND)}\n80010000000c00\n`);
  deepStrictEqual(told(short).slice(2), ["! line 2: 7 of a message's 12 bytes are there"]);
  const wrong = textOf(`${hex(COMMAND)}\nsomething else\n${hex(RESPONSE)}\n`);
  deepStrictEqual(told(wrong), [CONVERSATION[0], '! line 2: no hex digits: "something else"']);
});

Deno.test("messages without anything between them are read", () => {
  deepStrictEqual(told(joined(COMMAND, RESPONSE)), CONVERSATION);
  deepStrictEqual(
    told(joined(COMMAND, RESPONSE.subarray(0, 15))).at(-1),
    "! byte 12: a message of 20 bytes is cut off: 15 are there",
  );
});

Deno.test("packets are put together to messages", () => {
  const whole = pcapngFile(segment(">", COMMAND), segment("<", RESPONSE));
  deepStrictEqual(told(whole), CONVERSATION);
  strictEqual(read(whole)[1]!.kind === "message" && read(whole)[1]!.kind, "message");
  const parts = pcapngFile(
    segment(">", COMMAND.subarray(0, 3)),
    segment(">", COMMAND.subarray(3)),
    segment("<", RESPONSE.subarray(0, 12)),
    segment("<", RESPONSE.subarray(12)),
  );
  deepStrictEqual(told(parts), CONVERSATION);
  deepStrictEqual(told(pcapFile(segment(">", COMMAND), segment("<", RESPONSE))), CONVERSATION);
  deepStrictEqual(
    told(pcapngFile(tssPacket(">", COMMAND), tssPacket("<", RESPONSE))),
    CONVERSATION,
  );
});

Deno.test("a packet that comes again counts once, and one that is missing parts messages", () => {
  const [ask, answer] = [segment(">", COMMAND), segment("<", RESPONSE)];
  deepStrictEqual(told(pcapngFile(ask, ask, answer)), CONVERSATION);
  const missing = pcapngFile(
    segment(">", COMMAND.subarray(0, 6)),
    { ...segment(">", COMMAND), sequence: 4000 },
    answer,
  );
  deepStrictEqual(told(missing), [`> ${hex(COMMAND.subarray(0, 6))}`, ...CONVERSATION]);
});

Deno.test("a message whose size is wrong is shown as it came", () => {
  const wrong = unhex("80010000000b0000017b0008");
  deepStrictEqual(told(pcapngFile(segment(">", wrong), segment("<", REFUSAL))), [
    `> ${hex(wrong)}`,
    `< ${hex(REFUSAL)}`,
  ]);
  const long = unhex("8001000000ff0000017b0008");
  deepStrictEqual(told(pcapngFile(segment(">", long), segment("<", REFUSAL))), [
    `> ${hex(long)}`,
    `< ${hex(REFUSAL)}`,
  ]);
});

Deno.test("a simulator's framing is taken off, and tells the locality", () => {
  const framed = joined(unhex("00000008 03 0000000c"), COMMAND);
  const answer = joined(unhex("00000014"), RESPONSE, unhex("00000000"));
  const items = read(pcapngFile(segment(">", framed), segment("<", answer)));
  deepStrictEqual(items.map((item) => item.kind === "message" && [item.locality, item.bytes]), [
    [3, COMMAND],
    [undefined, RESPONSE],
  ]);
});

Deno.test("a connection at another port is known by its messages, whoever comes first", () => {
  const asked = { ...segment(">", COMMAND), toPort: 9000 };
  const answered = { ...segment("<", RESPONSE), fromPort: 9000 };
  deepStrictEqual(told(pcapngFile(asked, answered)), CONVERSATION);
  deepStrictEqual(told(pcapngFile(answered, asked, { ...answered })), [
    CONVERSATION[1],
    ...CONVERSATION,
  ]);
});

Deno.test("connections without a TPM are passed over", () => {
  const other = { ...segment(">", textOf(HTTP)), toPort: 80 };
  deepStrictEqual(
    told(pcapngFile(other, segment(">", COMMAND), segment("<", RESPONSE))),
    CONVERSATION,
  );
});

Deno.test("a capture that is cut off at any byte is read up to there", () => {
  const whole = pcapngFile(segment(">", COMMAND), segment("<", RESPONSE));
  for (let length = 4; length < whole.length; length++) {
    const lines = told(whole.subarray(0, length));
    const messages = lines.filter((line) => !line.startsWith("!"));
    deepStrictEqual(messages, CONVERSATION.slice(0, messages.length), String(length));
    // Where a block ends nobody can tell that more was to come.
    const isEnd = [28, 48, 148].includes(length);
    strictEqual(lines.length, messages.length + (isEnd ? 0 : 1), String(length));
  }
});

Deno.test("what is no capture is told", () => {
  strictEqual(formatOf(inputOf(new Uint8Array())), "it is empty");
  match(String(formatOf(inputOf(unhex("7f454c46 02010100")))), /neither a capture nor text/);
  const log = joined(new Uint8Array(32), textOf("Spec ID Event03"));
  match(String(formatOf(inputOf(log))), /--event-log/);
});

Deno.test("what comes in small pieces is the same", () => {
  const whole = pcapngFile(segment(">", COMMAND), segment("<", RESPONSE));
  let at = 0;
  const input = new Input((into) => {
    const piece = whole.subarray(at, at + 1 + at % 3);
    into.set(piece);
    at += piece.length;
    return piece.length;
  });
  strictEqual([...readCapture(input)].length, 2);
  const lines = new Input((into) => {
    if (at > 400_000) return 0;
    into[0] = at++ % 100_000 === 0 ? 0x0a : 0x61;
    return 1;
  });
  at = 1;
  strictEqual(lines.line(1000), "long");
});
