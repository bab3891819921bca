// Captures, messages and event logs that are right, nearly right or nonsense, through all of what
// `swtpm decode` does with them: nothing may throw, nothing may hang, and a byte costs no more in a
// long capture than in a short one. As a program it goes on as long as one likes.
//
// Usage: deno run -A tests/decode/mutations.ts [--mutations N] [--seed N]

import { Buffer } from "node:buffer";
import { parseArgs } from "node:util";
import { digestsFit } from "../../tcg/event_log/digests_of_data.ts";
import { readEventLog } from "../../tcg/event_log/log.ts";
import { replay } from "../../tcg/event_log/replay.ts";
import { eventLogJson } from "../../tools/decode/event_json.ts";
import { eventText } from "../../tools/decode/event_text.ts";
import { Exchanges } from "../../tools/decode/exchanges.ts";
import { readCapture } from "../../tools/decode/formats.ts";
import { inputOf } from "../../tools/decode/input.ts";
import {
  type FakePacket,
  pcapFile,
  pcapngFile,
  segment,
  tssPacket,
} from "../../tools/decode/pcapng_fake.ts";
import { traceObject } from "../../trace/json.ts";
import { PLAIN, textLine } from "../../trace/text.ts";
import { Random } from "../robustness/random.ts";

/** What came of a run. */
export interface Mutated {
  readonly inputs: number;
  readonly bytes: number;
  readonly ms: number;
  /** The slowest input's time, and for repeating it its number. */
  readonly slowest: { readonly ms: number; readonly input: number };
}

const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url);

/** A command and its response. */
interface Pair {
  readonly command: Uint8Array;
  readonly response: Uint8Array;
}

/** Each command that clients were seen to send. */
function seeds(): Pair[] {
  const lines = Deno.readTextFileSync(fixture("exchanges.hex")).split("\n");
  const of = (mark: string) =>
    lines.filter((line) => line.startsWith(mark)).map((line) =>
      Uint8Array.from(Buffer.from(line.slice(2), "hex"))
    );
  const responses = of("< ");
  return of("> ").map((command, index) => ({ command, response: responses[index]! }));
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const textBytes = (text: string) => new TextEncoder().encode(text);

/** A conversation in each form in which one can come. */
const FORMS: readonly ((pairs: readonly Pair[]) => Uint8Array)[] = [
  (pairs) => pcapngFile(...packetsOf(pairs, segment)),
  (pairs) => pcapngFile(...packetsOf(pairs, tssPacket)),
  (pairs) => pcapFile(...packetsOf(pairs, segment)),
  (pairs) => Uint8Array.from(pairs.flatMap((pair) => [...pair.command, ...pair.response])),
  (pairs) =>
    textBytes(pairs.map((pair) => `${hex(pair.command)}\n${hex(pair.response)}\n`).join("")),
  (pairs) => textBytes(pairs.map((pair) => dumped(pair)).join("")),
];

function packetsOf(
  pairs: readonly Pair[],
  packet: (direction: ">" | "<", payload: Uint8Array) => FakePacket,
): FakePacket[] {
  return pairs.flatMap(({ command, response }) => [packet(">", command), packet("<", response)]);
}

function dumped({ command, response }: Pair): string {
  const dump = (name: string, bytes: Uint8Array) =>
    ` ${name}: length ${bytes.length}\n` +
    (hex(bytes).match(/.{1,32}/g) ?? []).map((row) => ` ${row.replace(/../g, "$& ")}\n`).join("");
  return dump("SWTPM_IO_Read", command) + dump("SWTPM_IO_Write", response);
}

const LOGS = ["ovmf.eventlog", "seabios-tpm12.eventlog"];

/** Numbers that readers stumble over. */
const AWKWARD = [0, 1, 7, 8, 9, 10, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0xffffffff];

/** Changes some of the bytes. */
function mutate(random: Random, whole: Uint8Array): Uint8Array {
  let bytes = whole.slice();
  for (let left = random.between(0, 4); left > 0 && bytes.length > 0; left--) {
    const at = random.below(bytes.length);
    switch (random.below(6)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 2: {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        const value = random.pick(AWKWARD);
        if (at + 4 <= bytes.length) view.setUint32(at, value, random.oneIn(2));
        else bytes[at] = value;
        break;
      }
      case 3:
        bytes = bytes.slice(0, at);
        break;
      case 4: {
        const end = Math.min(bytes.length, at + random.between(1, 64));
        bytes = Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(end));
        break;
      }
      case 5: {
        const end = Math.min(bytes.length, at + random.between(1, 64));
        const again = bytes.subarray(at, end);
        bytes = Uint8Array.of(...bytes.subarray(0, end), ...again, ...bytes.subarray(end));
      }
    }
  }
  return bytes;
}

/** Does with a capture what the program does, in both forms, with secrets and without. */
export function tellCapture(bytes: Uint8Array): number {
  let length = 0;
  let secrets = false;
  for (const event of new Exchanges().of(readCapture(inputOf(bytes)))) {
    if (event.kind === "damage") length += event.where.length + event.reason.length;
    else {
      length += textLine(event, { secrets, palette: PLAIN }).length;
      length += JSON.stringify(traceObject(event, { secrets })).length;
      secrets = !secrets;
    }
  }
  return length;
}

/** The same with an event log. */
export function tellLog(bytes: Uint8Array): number {
  const log = readEventLog(bytes);
  const texts = log.events.map((event, index) => {
    digestsFit(event);
    return eventText(event, index, PLAIN).length;
  });
  return JSON.stringify(eventLogJson(log, replay(log), undefined)).length +
    texts.reduce((sum, length) => sum + length, 0);
}

/** One in so many inputs is an event log: they are long. */
const LOG_ONE_IN = 50;

/** Throws with the input's number where something throws. */
export function mutations(
  count: number,
  seed: number,
  report: (sofar: Mutated) => void = () => {},
): Mutated {
  const pairs = seeds();
  const logs = LOGS.map((name) => Deno.readFileSync(fixture(name)));
  const REPORT_EVERY = 100_000;
  let bytes = 0;
  let slowest = { ms: 0, input: 0 };
  const begin = performance.now();
  const sofar = (inputs: number): Mutated => ({
    inputs,
    bytes,
    ms: performance.now() - begin,
    slowest,
  });
  for (let input = 1; input <= count; input++) {
    const random = new Random(seed + input);
    const isLog = random.oneIn(LOG_ONE_IN);
    const whole = isLog
      ? random.pick(logs)
      : random.pick(FORMS)(Array.from({ length: random.between(1, 2) }, () => random.pick(pairs)));
    const changed = mutate(random, whole);
    bytes += changed.length;
    const start = performance.now();
    try {
      if (isLog) tellLog(changed);
      else tellCapture(changed);
    } catch (cause) {
      throw new Error(`input ${input} of seed ${seed}: ${hex(changed)}`, { cause });
    }
    const ms = performance.now() - start;
    if (ms > slowest.ms) slowest = { ms, input };
    if (input % REPORT_EVERY === 0) report(sofar(input));
  }
  return sofar(count);
}

/** "1000000 inputs, 512.0 MB in 300 s, 0.59 s per MB, slowest 12.3 ms" */
export function mutatedText({ inputs, bytes, ms, slowest }: Mutated): string {
  const megabytes = bytes / 1e6;
  return `${inputs} inputs, ${megabytes.toFixed(1)} MB in ${(ms / 1000).toFixed(0)} s, ` +
    `${(ms / 1000 / megabytes).toFixed(2)} s per MB, slowest ${slowest.ms.toFixed(1)} ms ` +
    `(input ${slowest.input})`;
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: [...Deno.args],
    options: { mutations: { type: "string" }, seed: { type: "string" } },
  });
  const seed = Number(values.seed ?? Date.now() % 0x7fffffff);
  console.log(`seed ${seed}`);
  const report = (sofar: Mutated) => console.log(mutatedText(sofar));
  mutations(Number(values.mutations ?? 1_000_000), seed, report);
}
