// The row on idleness: with both clients connected and silent no thread of the server may wake up.
// Two witnesses, one after the other: the kernel's count of context switches, then strace.

import { Emulator } from "../../tests/support/emulator.ts";
import { TempDir } from "../../tests/support/temp_dir.ts";
import { TestProcess } from "../../tests/support/process.ts";
import { plainProgram } from "../../tests/support/programs.ts";
import { CMD } from "../../tests/support/control.ts";
import { tpm2 } from "../../tests/support/tpm2.ts";
import { pause, waitUntil } from "../../tests/support/wait.ts";
import type { BenchRow, RowContext } from "./bench_row.ts";
import { type Contestant, named } from "./contestants.ts";
import { Libc, ProcessorClock } from "./libc.ts";
import { sleepsOf } from "./processors.ts";
import type { ContestantId, Findings } from "./result.ts";

const WINDOW_MS = 10_000;
const WINDOW_QUICK_MS = 2_000;
/** What follows a command, or being traced, is over by then. */
const SETTLE_MS = 2_000;
const COMMANDS_BEFORE = 500;

/** What one idle server did in a second. */
interface Idleness {
  readonly returns: number;
  readonly sleeps: number;
  readonly cpuMs: number;
}

/** Makes the row. */
export function idleRow(id: string, title: string, target: number): BenchRow {
  return { id, title, rounds: () => 1, run: (context) => run(target, context) };
}

async function run(most: number, context: RowContext): Promise<Findings> {
  const { contestants, effort, progress } = context;
  const windowMs = effort.quick ? WINDOW_QUICK_MS : WINDOW_MS;
  const found = new Map<ContestantId, Idleness>();
  for (const contestant of contestants) {
    progress(`${contestant.id}: two times ${windowMs / 1e3} s`);
    found.set(contestant.id, await named(contestant.id, measure(contestant, windowMs)));
  }
  const valuesOf = (value: (idleness: Idleness) => number) =>
    Object.fromEntries([...found].map(([id, idle]) => [id, { rounds: [value(idle)] }]));
  const target = { kind: "value", most } as const;
  return {
    figures: [
      {
        name: "system calls returning (strace)",
        unit: "per s",
        values: valuesOf(({ returns }) => returns),
        target,
      },
      {
        name: "voluntary context switches",
        unit: "per s",
        values: valuesOf(({ sleeps }) => sleeps),
        target,
      },
      { name: "CPU", unit: "ms per s", values: valuesOf(({ cpuMs }) => cpuMs) },
    ],
    notes: [`all threads, ${windowMs / 1e3} s each, data and control client connected`],
  };
}

async function measure({ program }: Contestant, windowMs: number): Promise<Idleness> {
  await using server = await Emulator.start({ program, flags: ["startup-clear"] });
  using control = await server.connectControl();
  await control.command(CMD.GET_CONFIG);
  using data = await server.connectData();
  for (let sent = 0; sent < COMMANDS_BEFORE; sent++) await data.command(tpm2.getRandom(16));
  await pause(SETTLE_MS);
  const seconds = windowMs / 1e3;

  const clock = new ProcessorClock(new Libc(), server.pid);
  const cpuBefore = clock.now();
  const sleepsBefore = sleepsOf(server.pid);
  await pause(windowMs);
  const sleeps = sleepsOf(server.pid) - sleepsBefore;
  const cpuUs = clock.now() - cpuBefore;

  const returns = await tracedReturns(server.pid, windowMs);
  // A client that was forgotten in its silence would make any server idle.
  await data.command(tpm2.getRandom(16));
  await control.command(CMD.GET_CONFIG);
  return { returns: returns / seconds, sleeps: sleeps / seconds, cpuMs: cpuUs / 1e3 / seconds };
}

/** How many system calls of any thread return within the time. */
async function tracedReturns(pid: number, windowMs: number): Promise<number> {
  await using folder = new TempDir("swtpm-bench-");
  const file = folder.join("trace");
  await using strace = new TestProcess(plainProgram("strace", "strace"), [
    ...["-f", "-p", String(pid), "-o", file],
  ]);
  await waitUntil("strace to be attached", () => {
    if (!strace.running) throw new Error(`strace ended: ${strace.stderr}`);
    return strace.stderr.includes("attached");
  });
  await pause(SETTLE_MS); // being attached to interrupts what was waited for
  const before = (await Deno.readTextFile(file)).length;
  await pause(windowMs);
  const text = (await Deno.readTextFile(file)).slice(before);
  strace.kill("SIGINT");
  await strace.ended();
  return countReturns(text);
}

/** System calls that came back in what strace wrote: whole lines and resumed ones. */
export function countReturns(trace: string): number {
  return [...trace.matchAll(/\) += (?!\?)/g)].length;
}
