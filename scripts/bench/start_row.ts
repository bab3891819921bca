// The row on starting: from before the exec until the control socket takes a connection, which
// clients wait a quarter of a second to some seconds for, and until the first TPM command is answered
// over a Unix socket; on a state that is there from an earlier start, as at each boot of a virtual
// machine. And on the end: from SIGTERM, right behind some commands, until the process is gone.

import { hex } from "../../tests/support/bytes.ts";
import { TempDir } from "../../tests/support/temp_dir.ts";
import { tpm2 } from "../../tests/support/tpm2.ts";
import type { BenchRow, RowContext } from "./bench_row.ts";
import { type Contestant, named } from "./contestants.ts";
import { type Layout, place, usableProcessors } from "./processors.ts";
import type { StartResult } from "./jobs.ts";
import { emptyStarts } from "./empty_starts.ts";
import type { ContestantId, Findings, Target, Values } from "./result.ts";
import { Press, type Pressure } from "./pressure.ts";
import { runClient } from "./run_client.ts";
import { median, orderOf } from "./statistics.ts";

/** As many as the loop learns the client's pace from. */
const COMMANDS_BEFORE_END = 40;
const STARTS_A_ROUND = 5;
const STARTS_A_ROUND_QUICK = 2;
const CLIENT_LIMIT_MS = 120_000;
/** Asks the program for the times of its phases, on standard error. */
const TIMING = "SWTPM_TIMING";

/** Makes the row. */
export function startRow(
  id: string,
  title: string,
  layout: Layout,
  { target, endTarget, pressure }: {
    readonly target?: Target;
    readonly endTarget?: Target;
    readonly pressure?: Pressure;
  } = {},
): BenchRow {
  return {
    id,
    title,
    rounds: (effort) => effort.rounds,
    async run(context) {
      await using press = new Press(pressure);
      return await run({ layout, prefix: press.prefix }, target, endTarget, context);
    },
  };
}

/** Where and how servers are started. */
interface Setting {
  readonly layout: Layout;
  /** Words before theirs. */
  readonly prefix: readonly string[];
}

async function run(
  setting: Setting,
  target: Target | undefined,
  endTarget: Target | undefined,
  { contestants, floor, effort, progress }: RowContext,
): Promise<Findings> {
  const empty = await floor();
  const floors: number[] = [];
  // Another libtpms comes by way of a shell and a mount, which is not the program's start.
  const starters = contestants.filter(({ id }) => id !== "ours+libtpms-0.10");
  const connects = new Map<ContestantId, number[]>(starters.map(({ id }) => [id, []]));
  const answers = new Map<ContestantId, number[]>(starters.map(({ id }) => [id, []]));
  const ends = new Map<ContestantId, number[]>(starters.map(({ id }) => [id, []]));
  for (let round = 0; round < effort.rounds; round++) {
    for (const contestant of orderOf(starters, round)) {
      progress(`round ${round + 1} of ${effort.rounds}: ${contestant.id}`);
      const starts = effort.quick ? STARTS_A_ROUND_QUICK : STARTS_A_ROUND;
      const { connectMs, startMs, endMs } = await measure(setting, contestant, starts);
      connects.get(contestant.id)!.push(median(connectMs));
      answers.get(contestant.id)!.push(median(startMs));
      ends.get(contestant.id)!.push(median(endMs));
    }
    floors.push(
      await emptyStarts(
        empty,
        setting.prefix,
        effort.quick ? STARTS_A_ROUND_QUICK : STARTS_A_ROUND,
      ),
    );
  }
  const valuesOf = (found: Map<ContestantId, number[]>): Partial<Record<ContestantId, Values>> =>
    Object.fromEntries([...found].map(([id, rounds]) => [id, { rounds }]));
  const ours = starters.find(({ id }) => id === "ours");
  const phases = ours === undefined ? [] : await phasesOf(setting, ours);
  return {
    figures: [{
      name: "exec to control socket",
      unit: "ms",
      values: valuesOf(connects),
    }, {
      name: "exec to answer",
      unit: "ms",
      values: { ...valuesOf(answers), floor: { rounds: floors } },
      ...target === undefined ? {} : { target },
    }, {
      name: "SIGTERM to end",
      unit: "ms",
      values: valuesOf(ends),
      ...endTarget === undefined ? {} : { target: endTarget },
    }],
    notes: phases,
  };
}

/** What the program says of its phases, in a start of its own: what it does not say otherwise. */
async function phasesOf(setting: Setting, contestant: Contestant): Promise<string[]> {
  const usual = (await measure(setting, contestant, 1)).said.split("\n");
  const { startMs, said } = await measure(setting, contestant, 1, { [TIMING]: "1" });
  const phases = said.split("\n").filter((line) => !usual.includes(line));
  return phases.length === 0
    ? [`ours prints no phases (${TIMING}=1)`]
    : [`phases of one start of ours that took ${startMs[0]!.toFixed(1)} ms:`, ...phases];
}

async function measure(
  { layout, prefix }: Setting,
  { id, program }: Contestant,
  starts: number,
  env: Readonly<Record<string, string>> = {},
): Promise<StartResult & { said: string }> {
  const placement = place(layout, usableProcessors());
  await using folder = new TempDir("swtpm-bench-");
  const state = folder.join("state");
  const data = folder.join("sock");
  await Deno.mkdir(state);
  const job = {
    kind: "start",
    processors: placement.client,
    serverProcessors: placement.server,
    words: [
      ...[
        ...prefix,
        program.command,
        ...program.args,
        "socket",
        "--tpm2",
        "--tpmstate",
        `dir=${state}`,
      ],
      ...["--server", `type=unixio,path=${data}`, "--ctrl", `type=unixio,path=${data}.ctrl`],
      ...["--flags", "startup-clear"],
    ],
    env: { ...program.env, ...env },
    control: { transport: "unix", path: `${data}.ctrl` },
    data: { transport: "unix", path: data },
    command: hex(tpm2.getRandom(16)),
    commandsBeforeEnd: COMMANDS_BEFORE_END,
  } as const;
  // Not counted: it makes the TPM that the others find.
  const first = { ...job, log: folder.join("first.log"), starts: 1 };
  await named(id, runClient<"start">(first, CLIENT_LIMIT_MS));
  const log = folder.join("log");
  const times = await named(
    id,
    runClient<"start">({ ...job, log, starts }, CLIENT_LIMIT_MS),
  );
  return { ...times, said: await Deno.readTextFile(log) };
}
