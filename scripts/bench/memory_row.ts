// The rows on memory: of one instance, idle and after a million commands, and of many at once.
// Reading the kernel's figures is left to tests/support/memory.ts.

import { TPM_CAP } from "../../tcg/tpm2/constants.ts";
import { hex, repeated } from "../../tests/support/bytes.ts";
import { Emulator } from "../../tests/support/emulator.ts";
import { TestProcess } from "../../tests/support/process.ts";
import { tpm2 } from "../../tests/support/tpm2.ts";
import { pause } from "../../tests/support/wait.ts";
import { type BenchRow, type RowContext, scaled } from "./bench_row.ts";
import { bound, type Contestant, named } from "./contestants.ts";
import { place, usableProcessors } from "./processors.ts";
import { megabytes, privateMb, proportionalMb } from "./memory.ts";
import type { ContestantId, Figure, Findings, Target } from "./result.ts";
import { runClient } from "./run_client.ts";

/** What a start leaves to be tidied up is tidied up by then. */
const SETTLE_MS = 2_000;
const COMMANDS = 1_000_000;
const READINGS = 10;
/** A million commands take about a minute; a busy machine gets ten times that and more. */
const CLIENT_LIMIT_MS = 900_000;
const INSTANCES = 20;

/** What is to be reached: shares of what the empty program has, and a plain value. */
export interface MemoryTargets {
  readonly idle: number;
  readonly used: number;
  /** What counts as no growth: pages that come and go. */
  readonly growthMb: number;
}

/** The row on one instance. */
export function memoryRow(id: string, title: string, targets: MemoryTargets): BenchRow {
  return { id, title, rounds: () => 1, run: (context) => oneInstance(targets, context) };
}

/** The row on many instances at once. */
export function instancesRow(id: string, title: string, targetMb: number): BenchRow {
  return { id, title, rounds: () => 1, run: (context) => manyInstances(targetMb, context) };
}

async function oneInstance(
  targets: MemoryTargets,
  { contestants, floor, effort, progress }: RowContext,
): Promise<Findings> {
  const count = scaled(COMMANDS, effort);
  const floorMb = await waiting(await floor(), privateMb);
  const found = new Map<ContestantId, Course>();
  for (const contestant of contestants) {
    progress(`${contestant.id}: ${count} commands`);
    found.set(contestant.id, await named(contestant.id, courseOf(contestant, count)));
  }
  const every = count / READINGS;
  const course = found.get("ours")?.readingsMb.map((mb) => mb.toFixed(1)).join(" ");
  const figure = (name: string, target: Target, value: (course: Course) => number): Figure => ({
    name,
    unit: "MB",
    values: {
      ...Object.fromEntries([...found].map(([id, course]) => [id, { rounds: [value(course)] }])),
      ...target.kind === "ratio" ? { floor: { rounds: [floorMb] } } : {},
    },
    target,
  });
  const ofFloor = (most: number): Target => ({ kind: "ratio", most, against: ["floor"] });
  return {
    figures: [
      figure("private, idle", ofFloor(targets.idle), ({ idleMb }) => idleMb),
      figure("private, used", ofFloor(targets.used), ({ readingsMb }) => readingsMb.at(-1)!),
      figure(
        "growth in second half",
        { kind: "value", most: targets.growthMb },
        ({ readingsMb }) => readingsMb.at(-1)! - readingsMb[READINGS / 2 - 1]!,
      ),
    ],
    notes: [
      `Pss_Anon of smaps_rollup, MB of 10^6 bytes; of ours after each ${every} commands: ${course}`,
    ],
  };
}

/** Private memory over the time of one instance. */
interface Course {
  readonly idleMb: number;
  readonly readingsMb: readonly number[];
}

async function courseOf({ program }: Contestant, count: number): Promise<Course> {
  const placement = place("one core", usableProcessors());
  await using server = await Emulator.start({
    program: bound(program, placement.server),
    flags: ["startup-clear"],
  });
  await server.serving();
  await pause(SETTLE_MS);
  const idleMb = privateMb(server.pid);
  const nvSize = 32;
  const mix = [
    tpm2.getRandom(16),
    tpm2.pcrExtend(16, repeated(0xab, 32)),
    tpm2.pcrRead(16),
    tpm2.readClock(),
    tpm2.getCapability(TPM_CAP.TPM_PROPERTIES, 0x100, 50),
  ];
  // One command in a hundred stores state, each with another content than the last.
  const stores = [0xaa, 0x55].map((value) => tpm2.nvWrite(repeated(value, nvSize)));
  const commands = stores.flatMap((store) => [
    ...Array.from({ length: 99 }, (_, index) => mix[index % mix.length]!),
    store,
  ]);
  const { sides } = await runClient<"commands">({
    kind: "commands",
    processors: placement.client,
    sides: [{
      door: { kind: "connect", address: server.dataAddress },
      serverPid: server.pid,
    }],
    preparation: [hex(tpm2.nvDefineSpace(nvSize))],
    commands: commands.map(hex),
    warmUp: 0,
    memory: true,
    turns: READINGS,
    count: count / READINGS,
  }, CLIENT_LIMIT_MS);
  const [side] = sides;
  if (side === undefined) throw new Error("the client measured nothing");
  return { idleMb, readingsMb: side.memoryKiB.map(megabytes) };
}

/** What the empty program has in memory while it waits. */
async function waiting({ program }: Contestant, mb: (pid: number) => number): Promise<number> {
  await using process = new TestProcess(program, ["wait"]);
  await pause(SETTLE_MS);
  return mb(process.pid);
}

async function manyInstances(
  targetMb: number,
  { contestants, floor, progress }: RowContext,
): Promise<Findings> {
  const found = new Map<ContestantId, number>();
  for (const { id, program } of contestants) {
    progress(`${id}: ${INSTANCES} instances`);
    await using servers = new AsyncDisposableStack();
    const pids: number[] = [];
    for (let instance = 0; instance < INSTANCES; instance++) {
      const server = servers.use(await Emulator.start({ program, flags: ["startup-clear"] }));
      await server.serving();
      using data = await server.connectData();
      await data.command(tpm2.getRandom(16));
      pids.push(server.pid);
    }
    await pause(SETTLE_MS);
    found.set(id, pids.reduce((sum, pid) => sum + proportionalMb(pid), 0) / INSTANCES);
  }
  progress(`floor: ${INSTANCES} instances`);
  found.set("floor", await manyWaiting(await floor()));
  const target: Target = { kind: "value", most: targetMb };
  const values = Object.fromEntries([...found].map(([id, mb]) => [id, { rounds: [mb] }]));
  return {
    figures: [{ name: "PSS of one", unit: "MB", values, target }],
    notes: [`sum of Pss of smaps_rollup of ${INSTANCES} running instances / ${INSTANCES}`],
  };
}

async function manyWaiting({ program }: Contestant): Promise<number> {
  await using processes = new AsyncDisposableStack();
  const pids: number[] = [];
  for (let instance = 0; instance < INSTANCES; instance++) {
    pids.push(processes.use(new TestProcess(program, ["wait"])).pid);
  }
  await pause(SETTLE_MS);
  return pids.reduce((sum, pid) => sum + proportionalMb(pid), 0) / INSTANCES;
}
