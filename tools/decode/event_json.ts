// An event log as JSON: one object. The names are promised: docs/trace.md lists them.

import { digestsFit } from "../../tcg/event_log/digests_of_data.ts";
import { eventData } from "../../tcg/event_log/event_data.ts";
import { eventName } from "../../tcg/event_log/event_types.ts";
import type { EventLog, LoggedEvent } from "../../tcg/event_log/log.ts";
import type { Replay } from "../../tcg/event_log/replay.ts";
import { hex } from "../../trace/hex.ts";
import type { Json } from "../../trace/value_json.ts";
import type { Difference } from "./against.ts";
import { algorithmText } from "./event_text.ts";

/** The log, the PCRs after it, and which of them differ where they were compared. */
export function eventLogJson(
  log: EventLog,
  { banks, startupLocality }: Replay,
  differences: readonly Difference[] | undefined,
): Json {
  const pcrs = [...banks].map(([algorithm, bank]) =>
    [
      algorithmText(algorithm),
      Object.fromEntries([...bank].map(([pcr, value]) => [pcr, hex(value)])),
    ] as const
  );
  return {
    events: log.events.map(eventObject),
    startupLocality,
    pcrs: Object.fromEntries(pcrs),
    ...(log.fault === undefined ? {} : { unreadable: log.fault.message }),
    ...(differences === undefined ? {} : {
      differences: differences.map(({ algorithm, pcr, replayed, held }) => ({
        bank: algorithmText(algorithm),
        pcr,
        log: hex(replayed),
        tpm: held === undefined ? null : hex(held),
      })),
    }),
  };
}

function eventObject(event: LoggedEvent): Json {
  const { pcrIndex, eventType, digests, event: bytes } = event;
  return {
    pcr: pcrIndex,
    type: eventName(eventType),
    digests: Object.fromEntries(
      digests.map(({ algorithm, digest }) => [algorithmText(algorithm), hex(digest)]),
    ),
    digestsFit: digestsFit(event),
    data: plain(eventData(eventType, bytes)),
  };
}

/** Plain data as JSON has them: bytes as digits, large numbers as text. */
function plain(value: unknown): Json {
  if (value instanceof Uint8Array) return hex(value);
  if (typeof value === "bigint") return `0x${value.toString(16)}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]));
  }
  return value as Json;
}
