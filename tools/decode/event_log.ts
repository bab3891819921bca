// `swtpm decode --event-log`: what a firmware has measured, and whether a TPM's PCRs are what that
// comes to.
import { print, tell } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { readEventLog } from "../../tcg/event_log/log.ts";
import { replay } from "../../tcg/event_log/replay.ts";
import { hex } from "../../trace/hex.ts";
import type { Palette } from "../../trace/text.ts";
import { type AgainstOptions, type Difference, differencesFrom } from "./against.ts";
import { eventLogJson } from "./event_json.ts";
import { algorithmText, bankText, eventText } from "./event_text.ts";

export interface EventLogOptions {
  /** What messages call the log. */
  readonly name: string;
  readonly against: AgainstOptions | undefined;
  readonly json: boolean;
  readonly palette: Palette;
}

/** Prints what the log says; returns the exit code. */
export async function tellEventLog(
  system: System,
  bytes: Uint8Array,
  { name, against, json, palette }: EventLogOptions,
): Promise<number> {
  const log = readEventLog(bytes);
  const replayed = replay(log);
  const { banks, unknown } = replayed;
  const differences = against && await differencesFrom(system, replayed, against);
  if (json) print(system, `${JSON.stringify(eventLogJson(log, replayed, differences))}\n`);
  else {
    const events = log.events.map((event, index) => eventText(event, index + 1, palette));
    const pcrs = [...banks].filter(([, bank]) => bank.size > 0).map(([algorithm, bank]) =>
      bankText(algorithm, bank)
    );
    for (const part of [...events, ...pcrs]) print(system, `${part}\n`);
    if (differences !== undefined) {
      print(system, comparison(differences, against!.where, pcrCount(replayed), palette));
    }
  }
  for (const algorithm of unknown) {
    tell(`${name}: the PCRs of ${algorithmText(algorithm)} cannot be computed here`);
  }
  if (log.fault !== undefined) tell(`${name}, ${log.fault.message}`);
  else if (log.events.length === 0) tell(`${name}: there is no event in it`);
  const isWhole = log.fault === undefined && log.events.length > 0;
  return isWhole && (differences ?? []).length === 0 ? 0 : 1;
}

function pcrCount({ banks }: ReturnType<typeof replay>): number {
  return [...banks.values()].reduce((count, bank) => count + bank.size, 0);
}

function comparison(
  differences: readonly Difference[],
  where: string,
  count: number,
  palette: Palette,
): string {
  if (differences.length === 0) return `All ${count} PCRs in '${where}' are what the log says.\n`;
  return differences.map(({ algorithm, pcr, replayed, held }) => {
    const which = `PCR ${pcr} of ${algorithmText(algorithm)}`;
    return held === undefined
      ? `${palette.failure("not there:")} ${which}\n`
      : `${palette.failure("differs:")} ${which} is ${hex(held)}, the log says ${hex(replayed)}\n`;
  }).join("");
}
