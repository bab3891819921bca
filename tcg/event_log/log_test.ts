// Tests of event logs on those of real firmware: each is written again to the same bytes, cut off at
// any byte it is read up to there, and whatever else stands in it is no reason to fail.

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { eventData } from "./event_data.ts";
import { EV, eventName } from "./event_types.ts";
import { readEventLog, writeEventLog } from "./log.ts";
import { replay } from "./replay.ts";
import { digestsFit } from "./digests_of_data.ts";

const fixture = (name: string) =>
  Deno.readFileSync(new URL(`../../tests/decode/fixtures/${name}`, import.meta.url));

const LOGS = { "ovmf.eventlog": 25, "seabios-tpm12.eventlog": 13 } as const;

for (const [name, count] of Object.entries(LOGS)) {
  Deno.test(`${name} is read and written to the very same bytes`, () => {
    const bytes = fixture(name);
    const log = readEventLog(bytes);
    deepStrictEqual([log.events.length, log.fault], [count, undefined]);
    deepStrictEqual(writeEventLog(log), bytes);
    // Firmware may set aside more than it fills.
    deepStrictEqual(readEventLog(Uint8Array.of(...bytes, ...new Uint8Array(100))), log);
  });

  Deno.test(`${name} that is cut off is read up to there`, () => {
    const bytes = fixture(name);
    const { events } = readEventLog(bytes);
    for (let length = 0; length < bytes.length; length++) {
      const cut = readEventLog(bytes.subarray(0, length));
      strictEqual(cut.events.at(-1)?.offset, events[cut.events.length - 1]?.offset);
      const isEnd = length === 0 || events.some(({ offset }) => offset === length);
      strictEqual(cut.fault === undefined, isEnd, String(length));
      if (cut.fault !== undefined) match(cut.fault.message, /^event \d+\.\w+ at byte \d+: /);
    }
  });

  Deno.test(`${name} with some byte changed is no reason to fail`, () => {
    const bytes = fixture(name);
    for (let at = 0; at < bytes.length; at += 17) {
      const changed = bytes.slice();
      changed[at]! ^= 0x81;
      const log = readEventLog(changed);
      replay(log);
      for (const event of log.events) {
        digestsFit(event);
        eventData(event.eventType, event.event);
      }
    }
  });
}

Deno.test("no data of any type are a reason to fail", () => {
  const { events } = readEventLog(fixture("ovmf.eventlog"));
  for (const { event } of events) {
    for (const type of Object.values(EV)) {
      for (let length = 0; length <= Math.min(event.length, 200); length += 5) {
        eventData(type, event.subarray(0, length));
      }
    }
  }
});

Deno.test("PCR 0 begins with the locality of TPM2_Startup, dynamic ones with ones", () => {
  const algorithms = new Map([[0xb, 32]]);
  const digests = [{ algorithm: 0xb, digest: new Uint8Array(32) }];
  const event = (pcrIndex: number, eventType: number, event: Uint8Array) => ({
    ...{ offset: 0, pcrIndex, eventType, digests, event },
  });
  const locality = new TextEncoder().encode("StartupLocality\0\x03");
  const action = new Uint8Array();
  const log = (events: ReturnType<typeof event>[]) => ({ algorithms, events, fault: undefined });
  const plain = replay(log([event(0, EV.ACTION, action), event(17, EV.ACTION, action)]));
  const third = replay(log([event(0, EV.NO_ACTION, locality), event(0, EV.ACTION, action)]));
  strictEqual(third.startupLocality, 3);
  const values = [plain.banks.get(0xb)!.get(0), third.banks.get(0xb)!.get(0)];
  ok(values[0] !== undefined && values[1] !== undefined);
  ok(values[0].some((byte, at) => byte !== values[1]![at]));
  ok(plain.banks.get(0xb)!.get(17)!.some((byte, at) => byte !== values[0]![at]));
});

Deno.test("a type without a name is told by its number", () => {
  deepStrictEqual([eventName(EV.SEPARATOR), eventName(0x99)], ["EV_SEPARATOR", "0x00000099"]);
});
