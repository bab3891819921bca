// How long the benchmark's floor takes from before its exec to its end.

import { TempDir } from "../../tests/support/temp_dir.ts";
import type { Contestant } from "./contestants.ts";
import { place, usableProcessors } from "./processors.ts";
import { runClient } from "./run_client.ts";
import { median } from "./statistics.ts";

const CLIENT_LIMIT_MS = 120_000;

/** The median of so many starts, in ms. */
export async function emptyStarts(
  { program }: Contestant,
  prefix: readonly string[],
  times: number,
): Promise<number> {
  const placement = place("two cores", usableProcessors());
  await using folder = new TempDir("swtpm-bench-");
  const { ms } = await runClient<"exec">({
    kind: "exec",
    processors: placement.client,
    programProcessors: placement.server,
    words: [...prefix, program.command, ...program.args],
    env: program.env,
    log: folder.join("log"),
    until: "end",
    times,
  }, CLIENT_LIMIT_MS);
  return median(ms);
}
