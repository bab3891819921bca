// The row on a TPM for the time of one command: from before the exec of `swtpm run` to the first byte
// that COMMAND says, beside what a shell does for it with a C program, and beside a start of the empty
// program.

import { TempDir } from "../../tests/support/temp_dir.ts";
import type { BenchRow, RowContext } from "./bench_row.ts";
import { type Contestant, named } from "./contestants.ts";
import { emptyStarts } from "./empty_starts.ts";
import { place, usableProcessors } from "./processors.ts";
import type { ContestantId, Findings, Target } from "./result.ts";
import { runClient } from "./run_client.ts";
import { median, orderOf } from "./statistics.ts";

const TIMES_A_ROUND = 5;
const TIMES_A_ROUND_QUICK = 2;
const CLIENT_LIMIT_MS = 120_000;
const COMMAND = ["/usr/bin/printf", "x"];

/** What scripts do: they are told that the TPM is there by the end of the process in front. */
const SHELL = `
folder=$(mktemp -d)
"$@" socket --tpm2 --tpmstate "dir=$folder" --server "type=unixio,path=$folder/sock" \
  --ctrl "type=unixio,path=$folder/sock.ctrl" --pid "file=$folder/pid" \
  --flags startup-clear --daemon >&2
${COMMAND.join(" ")}
kill "$(cat "$folder/pid")"
rm -rf "$folder" || true
`;

/** Makes the row. */
export function runRow(id: string, title: string, target: Target): BenchRow {
  return { id, title, rounds: (effort) => effort.rounds, run: (context) => run(target, context) };
}

async function run(
  target: Target,
  { contestants, floor, effort, progress }: RowContext,
): Promise<Findings> {
  const runners = contestants.filter(({ id }) => id !== "ours+libtpms-0.10");
  const empty = await floor();
  const found = new Map<ContestantId, number[]>(runners.map(({ id }) => [id, []]));
  found.set("floor", []);
  const times = effort.quick ? TIMES_A_ROUND_QUICK : TIMES_A_ROUND;
  for (let round = 0; round < effort.rounds; round++) {
    progress(`round ${round + 1} of ${effort.rounds}`);
    for (const contestant of orderOf(runners, round)) {
      found.get(contestant.id)!.push(await measure(contestant, times));
    }
    found.get("floor")!.push(await emptyStarts(empty, [], times));
  }
  const values = Object.fromEntries([...found].map(([id, rounds]) => [id, { rounds }]));
  return {
    figures: [{ name: "exec to COMMAND's first byte", unit: "ms", values, target }],
    notes: ["C: sh -c 'mktemp -d; swtpm socket … --daemon; COMMAND'; floor: its start to its end"],
  };
}

async function measure({ id, program }: Contestant, times: number): Promise<number> {
  const placement = place("two cores", usableProcessors());
  await using folder = new TempDir("swtpm-bench-");
  const words = id === "ours" || id === "before"
    ? [program.command, ...program.args, "run", "--", ...COMMAND]
    : ["/bin/sh", "-c", SHELL, "sh", program.command, ...program.args];
  const { ms } = await named(
    id,
    runClient<"exec">({
      kind: "exec",
      processors: placement.client,
      programProcessors: placement.server,
      words,
      env: program.env,
      log: folder.join("log"),
      until: "output",
      times,
    }, CLIENT_LIMIT_MS),
  );
  return median(ms);
}
