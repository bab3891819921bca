// Unit tests of where messages with the simulator's words end, and of its tables.
import { deepEqual, equal } from "node:assert/strict";
import { messageSize } from "./framing.ts";
import {
  commandPort,
  type CommandPortName,
  NO_WORDS,
  platformCommandOf,
  platformPort,
  type Words,
  wordsOf,
} from "./simulator.ts";

const ROOM = 4105;
const ALL = wordsOf(...Object.keys(commandPort) as CommandPortName[]);

function sizeOf(bytes: number[], words: Words = ALL, prefixed = false): number {
  const buffer = new Uint8Array(ROOM);
  buffer.set(bytes);
  return messageSize(buffer, bytes.length, prefixed, words);
}
const word = (value: number, ...more: number[]) => [0, 0, 0, value, ...more];
const COMMAND = [0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 8];

Deno.test("messages of four and eight bytes do not wait for ten", () => {
  for (const value of [5, 7, 20, 21]) equal(sizeOf(word(value)), 4, `word ${value}`);
  for (const value of [15, 16]) {
    equal(sizeOf(word(value)), 0, `word ${value} cut`);
    equal(sizeOf(word(value, 0, 0, 0, 1)), 8, `word ${value}`);
  }
  equal(sizeOf(word(20).slice(0, 3)), 0);
});

Deno.test("data and commands are as long as they say, and no longer", () => {
  equal(sizeOf(word(6, 0, 0, 0, 3, 1, 2)), 0);
  equal(sizeOf(word(6, 0, 0, 0, 3, 1, 2, 3)), 11);
  equal(sizeOf(word(6, 0, 0, 0, 0)), 8);
  equal(sizeOf(word(8, 0, 0, 0, 0, 12, ...COMMAND)), 21);
  equal(sizeOf(word(8, 0, 0, 0, 0, 13, ...COMMAND)), 0, "what it says counts, not the command");
  equal(sizeOf(word(8, 0, 0, 0, 0, 2, ...COMMAND)), 11);
  equal(sizeOf(word(8, 0, 0, 0, 0, 0)), 9);
});

Deno.test("messages behind each other are told apart, whatever they begin with", () => {
  equal(sizeOf([...word(5), ...word(7)]), 4);
  equal(sizeOf([...COMMAND, ...word(20)]), 12);
  equal(sizeOf([...COMMAND, 0, 0, 0]), 12, "the next word has only just begun");
  equal(sizeOf([...COMMAND, ...word(9)]), 16, "no word, so it belongs to the command");
  equal(sizeOf([...word(20), ...COMMAND]), 4);
  equal(sizeOf(COMMAND), 12);
});

Deno.test("a message that the buffer cannot hold is handed on when the buffer is full", () => {
  const much = word(6, 0, 0, 0x20, 0);
  equal(sizeOf([...much, ...new Array(ROOM - 9).fill(1)]), 0);
  equal(sizeOf([...much, ...new Array(ROOM - 8).fill(1)]), ROOM);
  equal(sizeOf(word(8, 0, 0, 0, 0x20, 0)), 9, "a command that is longer than any");
});

Deno.test("where words are not known they are bytes as any", () => {
  equal(sizeOf(word(20), NO_WORDS, true), 0);
  equal(sizeOf(word(20, 0, 0, 0, 0, 0, 0), NO_WORDS, true), 10);
  const few = wordsOf("SESSION_END");
  equal(sizeOf(word(20), few, true), 4);
  equal(sizeOf(word(5), few, true), 0);
  equal(sizeOf([...word(8, 0, 0, 0, 0, 99), ...COMMAND], few, true), 21, "a prefix, as ever");
});

Deno.test("no two commands of the platform port have one number", () => {
  const codes = Object.values(platformPort).map(({ code }) => code);
  deepEqual(codes, [...new Set(codes)]);
  for (const [name, { code }] of Object.entries(platformPort)) equal(platformCommandOf(code), name);
  equal(platformCommandOf(30), undefined);
});
