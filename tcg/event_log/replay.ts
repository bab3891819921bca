// The values that PCRs have after all events of a log, in each bank.

import { createHash } from "node:crypto";
import { TPM_ALG } from "../tpm2/algorithms.ts";
import { EV } from "./event_types.ts";
import { type EventLog, type LoggedEvent, startsWith } from "./log.ts";

/** Algorithms by the names that the hash library has for them. */
export const HASHES: ReadonlyMap<number, string> = new Map([
  [TPM_ALG.SHA1, "sha1"],
  [TPM_ALG.SHA256, "sha256"],
  [TPM_ALG.SHA384, "sha384"],
  [TPM_ALG.SHA512, "sha512"],
]);

const PCRS_MAX = 24;
/** The event that tells the locality of TPM2_Startup: its name with a zero, then the number. */
const STARTUP_LOCALITY = "StartupLocality\0";
/** What the H-CRTM measures begins with this locality. */
const H_CRTM_LOCALITY = 4;
/** PCRs that only a dynamic launch resets. */
const DYNAMIC = { first: 17, last: 22 } as const;

/** PCRs by their numbers. */
export type Bank = ReadonlyMap<number, Uint8Array>;

export interface Replay {
  /** By algorithm: the PCRs that the log has events for. */
  readonly banks: ReadonlyMap<number, Bank>;
  /** Algorithms that cannot be computed here. */
  readonly unknown: readonly number[];
  readonly startupLocality: number;
}

/** Extends the PCRs with what the log says was measured. */
export function replay({ algorithms, events }: EventLog): Replay {
  const locality = startupLocality(events);
  const banks = new Map<number, Map<number, Uint8Array>>();
  const unknown: number[] = [];
  for (const [algorithm, size] of algorithms) {
    const hash = HASHES.get(algorithm);
    if (hash === undefined) unknown.push(algorithm);
    else banks.set(algorithm, replayBank(events, algorithm, { hash, size, locality }));
  }
  return { banks, unknown, startupLocality: locality };
}

function replayBank(
  events: readonly LoggedEvent[],
  algorithm: number,
  { hash, size, locality }: { hash: string; size: number; locality: number },
): Map<number, Uint8Array> {
  const bank = new Map<number, Uint8Array>();
  for (const { pcrIndex, eventType, digests } of events) {
    if (eventType === EV.NO_ACTION || pcrIndex >= PCRS_MAX) continue;
    const digest = digests.find((each) => each.algorithm === algorithm)?.digest;
    if (digest === undefined) continue;
    const before = bank.get(pcrIndex) ?? initial(pcrIndex, size, locality);
    bank.set(pcrIndex, new Uint8Array(createHash(hash).update(before).update(digest).digest()));
  }
  return bank;
}

function initial(pcrIndex: number, size: number, locality: number): Uint8Array {
  const value = new Uint8Array(size);
  if (pcrIndex === 0) value[size - 1] = locality;
  if (pcrIndex >= DYNAMIC.first && pcrIndex <= DYNAMIC.last) value.fill(0xff);
  return value;
}

/** The locality that PCR 0 begins with. */
function startupLocality(events: readonly LoggedEvent[]): number {
  for (const { eventType, event } of events) {
    if (eventType === EV.EFI_HCRTM_EVENT) return H_CRTM_LOCALITY;
    if (eventType === EV.NO_ACTION && startsWith(event, STARTUP_LOCALITY)) {
      return event[STARTUP_LOCALITY.length] ?? 0;
    }
  }
  return 0;
}
