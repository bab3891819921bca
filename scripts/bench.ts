// Measures the program against the C programs: every figure that is to be reached is a row, and each
// row lets the contestants take turns. What is measured stands in bench/rows.ts.
//
// Usage: deno task bench [ROW...] [--rounds N] [--json FILE] [--quick] [--new-libtpms] [--list]
//   ROW             a row's name, or the beginning of several; without one all rows
//   --rounds N      how often the contestants take turns (9; with --quick 3)
//   --json FILE     writes the figures of every round there, "-" is standard output, and the
//                   table then goes to standard error
//   --quick         a tenth of the commands and shorter waits: a look, not a result
//   --svg FILE      draws ours beside C 0.10 there
//   --against FILE  also another build of ours ("before"): what is between the two is told from noise
//   --new-libtpms   ours also over the libtpms that C 0.10 has ("ours+")
//   --list          names the rows
// SWTPM_EXE names the executable to measure, dist/swtpm otherwise.

import { type BenchOptions, parseBenchArguments } from "./bench/arguments.ts";
import type { BenchRow, RowContext } from "./bench/bench_row.ts";
import { type Contestant, findContestants } from "./bench/contestants.ts";
import { floorProgram } from "./bench/floor.ts";
import { describeMachine, loadAverage } from "./bench/machine.ts";
import { drawTable } from "./bench/picture.ts";
import { asJson, renderTable, type RowReport } from "./bench/report.ts";
import type { ContestantId } from "./bench/result.ts";
import { ROWS } from "./bench/rows.ts";
import { requirePinnedDeno } from "./checkout.ts";
import { ensurePackages } from "./packages.ts";

async function runRow(row: BenchRow, context: RowContext): Promise<RowReport> {
  const start = performance.now();
  const loadBefore = loadAverage();
  const outcome = await row.run(context).then(
    (findings) => ({ findings }),
    (error) => ({ failure: error instanceof Error ? error.message : String(error) }),
  );
  return {
    id: row.id,
    title: row.title,
    rounds: row.rounds(context.effort),
    seconds: Math.round((performance.now() - start) / 100) / 10,
    load: [loadBefore, loadAverage()],
    ...outcome,
  };
}

async function bench(options: BenchOptions): Promise<boolean> {
  await ensurePackages("bench");
  const machine = describeMachine();
  const contestants = await findContestants(options);
  const { effort } = options;
  let empty: Promise<Contestant> | undefined;
  const floor = () =>
    empty ??= floorProgram().then((program) => ({ id: "floor", program, version: "does nothing" }));
  const say = options.json === "-" ? console.error : console.log;
  say(`machine: ${machine.text}`);
  for (const { id, version, program } of contestants) {
    say(`${id}: ${version} (${program.name})`);
  }
  say(
    `${effort.rounds} alternating rounds; a value is the median over the rounds, p99 the median ` +
      `of the rounds' 99th percentiles; a ratio stands with its lowest and highest round, "~" where ` +
      `they do not agree on who is less${effort.quick ? "; QUICK: a look, not a result" : ""}`,
  );
  const reports: RowReport[] = [];
  // A row that is interrupted ends by itself, as its programs do; what was measured is shown.
  let interrupted = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interrupted = true);
  }
  for (const row of options.rows) {
    if (interrupted) break;
    console.error(`-- ${row.id}: ${row.title}`);
    const progress = (text: string) => console.error(`   ${text}`);
    const report = await runRow(row, { contestants, floor, effort, progress });
    console.error(`   ${report.seconds} s, load ${report.load.join(" -> ")}`);
    reports.push(report);
  }
  const ids: ContestantId[] = [...contestants.map(({ id }) => id), "floor"];
  say(`\n${renderTable(reports, ids)}`);
  if (options.json !== undefined) {
    const programs = contestants.map(({ id, version }) => ({ id, version }));
    const text = JSON.stringify({ machine, effort, programs, rows: asJson(reports, ids) }, null, 2);
    if (options.json === "-") console.log(text);
    else await Deno.writeTextFile(options.json, `${text}\n`);
  }
  if (options.svg !== undefined) {
    await Deno.writeTextFile(options.svg, drawTable(reports, machine.text));
  }
  return !interrupted && reports.every((report) => report.failure === undefined);
}

if (import.meta.main) {
  requirePinnedDeno(import.meta.url);
  let done = false;
  try {
    const options = parseBenchArguments(Deno.args, ROWS);
    if (options === "list") {
      for (const { id, title } of ROWS) console.log(`${id.padEnd(24)}${title}`);
      done = true;
    } else done = await bench(options);
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : error}`);
  }
  Deno.exit(done ? 0 : 1);
}
