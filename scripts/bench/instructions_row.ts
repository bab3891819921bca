// The row on instructions, which does not depend on the machine's mood: callgrind counts those of the
// whole process, compilers included. What a command takes is the difference of two runs with different
// numbers of commands.

import { Emulator } from "../../tests/support/emulator.ts";
import { plainProgram, type Program } from "../../tests/support/programs.ts";
import { run as runProgram } from "../../tests/support/process.ts";
import { tpm2 } from "../../tests/support/tpm2.ts";
import { TempDir } from "../../tests/support/temp_dir.ts";
import type { BenchRow, RowContext } from "./bench_row.ts";
import { type Contestant, named } from "./contestants.ts";
import type { ContestantId, Figure, Findings } from "./result.ts";

/** Commands of the runs that are compared: the first of a life, and when all is compiled. */
const FIRST = 1_000;
const WARM = 20_000;
const MORE = 5_000;
/** Under callgrind a start takes half a minute on a busy machine. */
const LIMIT_MS = 300_000;

/** Makes the row. */
export function instructionsRow(id: string, title: string): BenchRow {
  return { id, title, rounds: () => 1, run };
}

async function run({ contestants, floor, progress }: RowContext): Promise<Findings> {
  const counted = contestants.filter(({ id }) => id !== "ours+libtpms-0.10");
  const starts = new Map<ContestantId, number>();
  const firsts = new Map<ContestantId, number>();
  const warms = new Map<ContestantId, number>();
  const runs = new Map<ContestantId, number>();
  for (const contestant of counted) {
    const { id, program } = contestant;
    progress(id);
    const count = (commands: number) => named(id, ofServer(contestant, commands));
    const start = await count(1);
    starts.set(id, start / 1e6);
    firsts.set(id, (await count(1 + FIRST) - start) / FIRST);
    warms.set(id, (await count(WARM + MORE) - await count(WARM)) / MORE);
    if (id === "ours" || id === "before") {
      runs.set(id, await ofProgram(program, ["run", "--", "/usr/bin/true"]) / 1e6);
    }
  }
  const empty = await ofProgram((await floor()).program, []) / 1e6;
  starts.set("floor", empty);
  runs.set("floor", empty);
  const figure = (name: string, unit: string, found: Map<ContestantId, number>): Figure => ({
    name,
    unit,
    values: Object.fromEntries([...found].map(([id, value]) => [id, { rounds: [value] }])),
  });
  return {
    figures: [
      figure("start, one command, end", "M", starts),
      figure(`GetRandom, the first ${FIRST}`, "each", firsts),
      figure(`GetRandom after ${WARM}`, "each", warms),
      figure("run -- true", "M", runs),
    ],
    notes: ["instructions, by callgrind, of the whole process"],
  };
}

function underCallgrind({ name, command, args, env }: Program, folder: TempDir): Program {
  const words = ["--tool=callgrind", `--callgrind-out-file=${folder.join("counts")}`];
  return {
    ...plainProgram(`${name} under callgrind`, "/usr/bin/valgrind"),
    args: [...words, "--smc-check=all-non-file", command, ...args],
    env,
  };
}

/** Instructions of a server's life with so many commands. */
async function ofServer({ program }: Contestant, commands: number): Promise<number> {
  await using folder = new TempDir("swtpm-bench-");
  await using server = await Emulator.start({
    program: underCallgrind(program, folder),
    flags: ["startup-clear"],
    args: ["--seccomp", "action=none"],
    startTimeoutMs: LIMIT_MS,
  });
  using data = await server.connectData();
  for (let sent = 0; sent < commands; sent++) await data.command(tpm2.getRandom(16), LIMIT_MS);
  await server.stop(LIMIT_MS);
  return countIn(server.stderr); // valgrind's words are there, too
}

async function ofProgram(program: Program, words: readonly string[]): Promise<number> {
  await using folder = new TempDir("swtpm-bench-");
  const { code, stderr } = await runProgram(underCallgrind(program, folder), words);
  if (code !== 0) throw new Error(`${program.name} ended with ${code}: ${stderr}`);
  return countIn(stderr);
}

/** The number behind "Collected :" in what callgrind says at the end. */
export function countIn(said: string): number {
  const count = /Collected : (\d+)/.exec(said)?.[1];
  if (count === undefined) throw new Error(`callgrind gave no count: ${said}`);
  return Number(count);
}
