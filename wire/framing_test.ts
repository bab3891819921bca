// Unit tests of where TPM messages end.
import { equal } from "node:assert/strict";
import { messageSize, prefixSize } from "./framing.ts";
import { commandHeader, SEND_COMMAND, sendCommandPrefix } from "./tpm.ts";

/** Size of the buffer that messages are collected in. */
const ROOM = 4105;

function command(size: number, length = size, tag = 0x8001): Uint8Array {
  return commandHeader.encode({ tag, size, code: 0x17b }, new Uint8Array(length - 10));
}
function prefixed(inner: Uint8Array): Uint8Array {
  const head = { word: SEND_COMMAND, locality: 0, size: inner.length };
  return sendCommandPrefix.encode(head, inner);
}
function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
function sizeOf(bytes: Uint8Array, prefixes = true): number {
  const buffer = new Uint8Array(ROOM);
  buffer.set(bytes);
  return messageSize(buffer, bytes.length, prefixes);
}

Deno.test("a whole command is one message", () => {
  equal(sizeOf(command(12)), 12);
  equal(sizeOf(prefixed(command(12))), 21);
  equal(sizeOf(command(12, 12, 0x00c1), false), 12);
});

Deno.test("the rest of a command is waited for", () => {
  equal(sizeOf(new Uint8Array(9)), 0);
  equal(sizeOf(command(20, 12)), 0);
  equal(sizeOf(prefixed(command(12)).subarray(0, 15)), 0);
  equal(sizeOf(prefixed(command(20, 12))), 0);
});

Deno.test("two commands in one segment are two messages", () => {
  equal(sizeOf(joined(command(12), command(14))), 12);
  equal(sizeOf(joined(command(12), command(14).subarray(0, 2))), 12);
  equal(sizeOf(joined(prefixed(command(12)), prefixed(command(14)))), 21);
});

Deno.test("where the next command has only just begun, it is the next one", () => {
  const [plain, other] = [joined(command(12), command(14)), command(14, 14, 0x00c2)];
  for (let cut = 13; cut < plain.length; cut++) {
    equal(sizeOf(plain.subarray(0, cut)), 12, `${cut} bytes`);
    equal(sizeOf(plain.subarray(0, cut), false), 12, `${cut} bytes without prefixes`);
  }
  equal(sizeOf(joined(command(12, 12, 0x00c1), other.subarray(0, 1)), false), 12);
  const both = joined(prefixed(command(12)), prefixed(command(14)));
  for (let cut = 22; cut < both.length; cut++) equal(sizeOf(both.subarray(0, cut)), 21, `${cut}`);
});

Deno.test("bytes behind a command that cannot begin another belong to it", () => {
  equal(sizeOf(joined(command(12), Uint8Array.of(1))), 13);
  equal(sizeOf(joined(command(12), Uint8Array.of(0x81, 1))), 14);
  equal(sizeOf(joined(command(12), Uint8Array.of(0, 1, 0))), 15);
  equal(sizeOf(joined(command(12), Uint8Array.of(0, 0)), false), 14, "without prefixes");
  equal(sizeOf(joined(command(12), Uint8Array.of(0, 0, 1))), 15);
  equal(sizeOf(joined(command(12), Uint8Array.of(0, 0, 0, 0))), 16);
});

Deno.test("what cannot be a command is handed on as it came", () => {
  equal(sizeOf(command(5, 12)), 12, "a size smaller than the header");
  equal(sizeOf(command(12, 14, 0x1234)), 14, "an unknown tag");
});

Deno.test("a command that the buffer cannot hold is handed on when the buffer is full", () => {
  equal(sizeOf(command(9000, ROOM)), ROOM);
});

Deno.test("a prefix is only known where prefixes are", () => {
  equal(prefixSize(prefixed(command(12)), 21), 9);
  equal(prefixSize(command(12), 12), 0);
  equal(sizeOf(prefixed(command(12)), false), 21);
});
