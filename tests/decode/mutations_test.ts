// A short run of mutations.ts, and captures of any form that are as long as one likes: what a byte
// costs does not depend on how many there are.

import assert from "node:assert/strict";
import { pcapngFile, segment } from "../../tools/decode/pcapng_fake.ts";
import { seedFrom } from "../robustness/random.ts";
import { mutatedText, mutations, tellCapture, tellLog } from "./mutations.ts";

const MUTATIONS = 5_000;
/** Garbage collections and a busy machine; nothing takes seconds. */
const SLOWEST_MS = 2_000;
const SECONDS_PER_MB = 20;

Deno.test("decode: no changed capture, message or event log makes it fail or wait", () => {
  const done = mutations(MUTATIONS, seedFrom("DECODE_SEED"));
  console.log(mutatedText(done));
  assert.ok(done.slowest.ms < SLOWEST_MS, mutatedText(done));
  assert.ok(done.ms / 1000 < SECONDS_PER_MB * done.bytes / 1e6, mutatedText(done));
});

const textBytes = (text: string) => new TextEncoder().encode(text);
const many = (count: number, part: Uint8Array) => {
  const all = new Uint8Array(count * part.length);
  for (let n = 0; n < count; n++) all.set(part, n * part.length);
  return all;
};

/** Inputs that cost the most, as long as is asked for. */
const WORST: Readonly<Record<string, (bytes: number) => Uint8Array>> = {
  "packets of one byte each": (bytes) => {
    const count = Math.floor(bytes / 90);
    const message = new Uint8Array(60_000);
    message.set([0x80, 0x01, 0x00, 0x00, 0xea, 0x60, 0, 0, 1, 0x7b]);
    return pcapngFile(...Array.from({ length: count }, (_, n) => {
      const at = n % message.length;
      return segment(">", message.slice(at, at + 1));
    }));
  },
  "lines without an end": (bytes) => new Uint8Array(bytes).fill(0x61),
  "digits without an end": (bytes) => new Uint8Array(bytes).fill(0x30),
  "rows of one byte each": (bytes) => many(Math.floor(bytes / 3), textBytes("80\n")),
  "rows of a message that never ends": (bytes) => {
    const rows = Array.from(
      { length: Math.floor(bytes / 9) },
      (_, n) => `${(n % 0xfff0).toString(16).padStart(4, "0")}: ${n === 1 ? "01" : "80"}\n`,
    );
    return textBytes(rows.join(""));
  },
  "dumps without rows": (bytes) =>
    many(Math.floor(bytes / 32), textBytes(" SWTPM_IO_Read: length 0000000\n\n")),
  "dumps without bytes": (bytes) =>
    many(Math.floor(bytes / 32), textBytes(" SWTPM_IO_Read: length 65000   \n")),
  "messages of ten bytes": (bytes) =>
    many(Math.floor(bytes / 10), Uint8Array.of(0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x81)),
};

const SHORT = 50_000;
const TIMES = 8;
/** Linear is a factor of 8; quadratic would be 64. */
const FACTOR_MAX = 30;
/** What is quicker is too quick to be compared. */
const COMPARED_FROM_MS = 300;

for (const [title, make] of Object.entries(WORST)) {
  Deno.test(`decode: ${title} take linear time`, () => {
    const [short, long] = [make(SHORT), make(TIMES * SHORT)];
    const measure = (bytes: Uint8Array) => {
      const begin = performance.now();
      tellCapture(bytes);
      return performance.now() - begin;
    };
    measure(short);
    const shortMs = Math.min(measure(short), measure(short));
    const longMs = Math.min(measure(long), measure(long));
    const times = `${shortMs.toFixed(1)} ms, ${TIMES} times as long ${longMs.toFixed(1)} ms`;
    assert.ok(longMs < Math.max(COMPARED_FROM_MS, FACTOR_MAX * shortMs), times);
  });
}

Deno.test("decode: an event log that claims to be huge takes no memory", () => {
  const log = new Uint8Array(200).fill(0xfe);
  assert.ok(tellLog(log) > 0);
});
