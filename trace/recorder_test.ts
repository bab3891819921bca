// Tests of the recorder: what it makes of what passes by, and that what waits has a bound.

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { TraceEvent } from "./exchange.ts";
import { Recorder } from "./recorder.ts";

const COMMAND = Uint8Array.of(0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 4);
const PREFIXED = Uint8Array.of(0, 0, 0, 8, 3, 0, 0, 0, 12, ...COMMAND);
const SUCCESS = Uint8Array.of(0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0);
const REFUSAL = Uint8Array.of(0x80, 1, 0, 0, 0, 10, 0, 0, 1, 1);
const RETRY = Uint8Array.of(0x80, 1, 0, 0, 0, 10, 0, 0, 9, 0x22);

function setup(prefixed = true) {
  const events: TraceEvent[] = [];
  const batches: string[] = [];
  let now = 1000;
  const recorder = new Recorder({
    format(event) {
      events.push(event);
      return "line\n";
    },
    write: (lines, count) => {
      strictEqual(lines, "line\n".repeat(count));
      batches.push(lines);
    },
    locality: () => 1,
    prefixed,
    now: () => now,
  });
  return { recorder, events, batches, pass: (ms: number) => now += ms };
}

Deno.test("a command and its response are one event, with its client, locality and time", () => {
  const { recorder, events, batches, pass } = setup();
  const memory = new Uint8Array(100);
  recorder.connect(new ArrayBuffer(1), {});
  recorder.connect(memory.buffer, { process: "x", pid: 7 });
  memory.set(PREFIXED);
  pass(5);
  recorder.received(memory.subarray(0, PREFIXED.length));
  memory.fill(0);
  pass(2);
  recorder.sent(SUCCESS);
  strictEqual(recorder.hasWork, true);
  deepStrictEqual(events, [], "written while a command was on its way");
  recorder.received(COMMAND);
  recorder.sent(SUCCESS);
  recorder.finish();
  strictEqual(recorder.hasWork, false);
  strictEqual(batches.join(""), "line\nline\n");
  const client = { number: 2, process: "x", pid: 7 };
  deepStrictEqual(events, [
    {
      ...{ kind: "command", timeMs: 5, durationMs: 2, client, locality: 3 },
      ...{ command: COMMAND, response: SUCCESS },
    },
    {
      ...{ kind: "command", timeMs: 7, durationMs: 0 },
      ...{ client: { number: 0, process: "swtpm" }, locality: 1 },
      ...{ command: COMMAND, response: SUCCESS },
    },
  ]);
});

Deno.test("a command without an answer is told of, too", () => {
  const { recorder, events } = setup();
  recorder.received(COMMAND);
  recorder.received(COMMAND);
  recorder.close();
  deepStrictEqual(
    events.map((event) => event.kind === "command" && event.response),
    [undefined, undefined],
  );
});

Deno.test("what waits has a bound, and nothing is lost", () => {
  const { recorder, events } = setup();
  const COUNT = 10_000;
  for (let left = COUNT; left > 0; left--) {
    recorder.received(COMMAND);
    recorder.sent(SUCCESS);
  }
  const waiting = COUNT - events.length;
  ok(waiting > 0 && waiting <= 1024, `${waiting} wait`);
  const large = new Uint8Array(4096);
  large.set(SUCCESS);
  for (let left = 1000; left > 0; left--) {
    recorder.received(COMMAND);
    recorder.sent(large);
  }
  ok(COUNT + 1000 - events.length <= 300, "more than a MiB waits");
  recorder.close();
  strictEqual(events.length, COUNT + 1000);
});

Deno.test("the last refusals are kept, but not those that are sent again", () => {
  const { recorder } = setup();
  const memory = Uint8Array.from(COMMAND);
  recorder.connect(memory.buffer, {});
  const refuse = (memory: Uint8Array, response: Uint8Array) => {
    recorder.received(memory);
    recorder.sent(response);
  };
  refuse(COMMAND, REFUSAL); // our own
  refuse(memory, RETRY);
  refuse(memory, SUCCESS);
  deepStrictEqual(recorder.refused, []);
  for (let n = 0; n < 9; n++) {
    memory[11] = n;
    refuse(memory, REFUSAL);
  }
  deepStrictEqual(recorder.refused.map(({ command }) => command[11]), [4, 5, 6, 7, 8]);
});
