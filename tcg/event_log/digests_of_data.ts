// Whether an event's digests are those of its data. For some types they have to be; a log in which
// they are not was changed, and what it says is not what was measured.

import { createHash } from "node:crypto";
import { EV } from "./event_types.ts";
import type { LoggedEvent } from "./log.ts";
import { HASHES } from "./replay.ts";

/** The types of which the whole data are measured (10.4.1 of the profile). */
const OF_DATA: ReadonlySet<number> = new Set([
  EV.SEPARATOR,
  EV.ACTION,
  EV.EFI_ACTION,
  EV.EFI_VARIABLE_DRIVER_CONFIG,
  EV.EFI_GPT_EVENT,
]);

/** False where a digest is not what it has to be. */
export function digestsFit({ eventType, digests, event }: LoggedEvent): boolean {
  if (!OF_DATA.has(eventType)) return true;
  return digests.every(({ algorithm, digest }) => {
    const hash = HASHES.get(algorithm);
    return hash === undefined || createHash(hash).update(event).digest().equals(digest);
  });
}
