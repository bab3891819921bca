// Rows that time TPM commands. In each round every contestant has a fresh server and one fresh client
// goes from one to the other and back. Which commands, over which channel and on which processors is
// told by the row.

import { Emulator } from "../../tests/support/emulator.ts";
import { hex } from "../../tests/support/bytes.ts";
import { TempDir } from "../../tests/support/temp_dir.ts";
import { type BenchRow, type Effort, type RowContext, scaled } from "./bench_row.ts";
import { bound, type Contestant, named } from "./contestants.ts";
import type { CommandsResult, Side, SideResult } from "./jobs.ts";
import { checkBound, type Layout, place, usableProcessors } from "./processors.ts";
import type { ContestantId, Figure, Findings, PeerId, Target, Values } from "./result.ts";
import { runClient } from "./run_client.ts";
import { orderOf, type Summary } from "./statistics.ts";

const BOTH: readonly PeerId[] = ["0.7.1", "0.10"];

/** What one such row is about. */
export interface CommandsPlan {
  readonly id: string;
  readonly title: string;
  readonly layout: Layout;
  /** Ratio of the latencies that is to be reached. */
  readonly latencyRatio?: number;
  /** Ratio of the 99th percentiles that is to be reached. */
  readonly p99Ratio?: number;
  /** Ratio of what one command in a thousand takes at least. */
  readonly p999Ratio?: number;
  /** Ratio of the server's CPU time per command that is to be reached. */
  readonly cpuRatio?: number;
  readonly transport?: "unix" | "tcp" | "datafd";
  readonly tpm2?: boolean;
  readonly preparation?: readonly Uint8Array[];
  readonly command: Uint8Array;
  /** Rounds that take so long that a few are enough. */
  readonly roundsMax?: number;
  /** For these see `CommandsJob`. */
  readonly numberAt?: number;
  readonly everyUs?: number;
  readonly warmUp: number;
  readonly turns: number;
  readonly count: number;
  /**
   * The state is on a tmpfs, not with the temporary files. On a disk a store takes several times as
   * long as all that the programs do, and now twice as long as just before.
   */
  readonly onTmpfs?: boolean;
  /** A state file that each command must change, and the flags its header must have. */
  readonly changes?: { readonly file: string; readonly flags: number };
  /** More arguments of the server; `folder` is a place for files they name. */
  readonly arguments?: (folder: string) => readonly string[];
}

/** A round takes seconds; a machine that does other things as well may take minutes. */
const CLIENT_LIMIT_MS = 300_000;

/** The tmpfs that a system has. */
const TMPFS = "/dev/shm";

/** Makes a row of a plan. */
export function commandsRow(plan: CommandsPlan): BenchRow {
  return {
    id: plan.id,
    title: plan.title,
    rounds: (effort) => roundsOf(plan, effort),
    run: (context) => runPlan(plan, context),
  };
}

function roundsOf({ roundsMax }: CommandsPlan, { rounds }: Effort): number {
  return Math.min(rounds, roundsMax ?? Infinity);
}

async function runPlan(plan: CommandsPlan, context: RowContext): Promise<Findings> {
  const { contestants, effort, progress } = context;
  const rounds = roundsOf(plan, effort);
  const found = new Map<ContestantId, SideResult[]>(contestants.map(({ id }) => [id, []]));
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    const order = orderOf(contestants, round);
    const { sides } = await playRound(plan, order, effort);
    order.forEach(({ id }, index) => found.get(id)!.push(sides[index]!));
  }
  const figure = (
    name: string,
    values: (results: readonly SideResult[]) => Values,
    most?: number,
  ): Figure => {
    const target: Target | undefined = most === undefined
      ? undefined
      : { kind: "ratio", most, against: BOTH };
    return {
      name,
      unit: "us",
      values: Object.fromEntries([...found].map(([id, results]) => [id, values(results)])),
      ...target === undefined ? {} : { target },
    };
  };
  const latency = figure("latency", (results) => ({
    rounds: results.map((result) => result.latencyUs.median),
    p99: results.map((result) => result.latencyUs.p99),
  }), plan.latencyRatio);
  const cpu = figure("server CPU", (results) => ({
    rounds: results.map((result) => result.serverCpuUsPerCommand),
  }), plan.cpuRatio);
  const tail = (name: string, value: (latencyUs: Summary) => number, most?: number) =>
    most === undefined ? [] : [figure(name, (results) => ({
      rounds: results.map(({ latencyUs }) => value(latencyUs)),
    }), most)];
  const tails = [
    ...tail("latency p99", ({ p99 }) => p99, plan.p99Ratio),
    ...tail("latency p99.9", ({ p999 }) => p999, plan.p999Ratio),
  ];
  return { figures: [latency, ...tails, cpu], notes: [] };
}

async function playRound(
  plan: CommandsPlan,
  contestants: readonly Contestant[],
  effort: Effort,
): Promise<CommandsResult> {
  const placement = place(plan.layout, usableProcessors());
  await using folder = new TempDir("swtpm-bench-", plan.onTmpfs ? TMPFS : undefined);
  await using running = new AsyncDisposableStack();
  const servers: Emulator[] = [];
  for (const contestant of contestants) {
    servers.push(running.use(await startServer(plan, contestant, placement.server, folder.path)));
  }
  const check = () => servers.forEach(({ pid }) => checkBound(pid, placement.server));
  check();
  const result = await runClient<"commands">({
    kind: "commands",
    processors: placement.client,
    sides: servers.map((server) => sideOf(plan, server)),
    preparation: (plan.preparation ?? []).map(hex),
    commands: [hex(plan.command)],
    ...plan.numberAt === undefined ? {} : { numberAt: plan.numberAt },
    ...plan.everyUs === undefined ? {} : { everyUs: plan.everyUs },
    warmUp: plan.warmUp,
    turns: scaled(plan.turns, effort),
    count: plan.count,
  }, CLIENT_LIMIT_MS);
  check();
  for (const [index, { stateDir }] of servers.entries()) {
    if (plan.changes === undefined) continue;
    await named(contestants[index]!.id, checkState(stateDir, plan.changes));
  }
  return result;
}

async function startServer(
  plan: CommandsPlan,
  { id, program }: Contestant,
  processors: readonly number[],
  folder: string,
): Promise<Emulator> {
  const stateDir = `${folder}/${id}`;
  Deno.mkdirSync(stateDir);
  const starting = Emulator.start({
    program: bound(program, processors),
    tpm2: plan.tpm2 ?? true,
    stateDir,
    transport: plan.transport === "tcp" ? "tcp" : "unix",
    dataServer: plan.transport !== "datafd",
    flags: ["startup-clear"],
    args: plan.arguments?.(folder) ?? [],
  });
  const server = await named(id, starting);
  await server.serving();
  return server;
}

function sideOf({ transport, changes }: CommandsPlan, server: Emulator): Side {
  return {
    door: transport === "datafd"
      ? { kind: "datafd", control: server.controlAddress }
      : { kind: "connect", address: server.dataAddress },
    serverPid: server.pid,
    ...changes === undefined ? {} : { changes: `${server.stateDir}/${changes.file}` },
  };
}

/** Throws unless the state is stored in the way that was asked for, encrypted or plain. */
async function checkState(
  folder: string,
  { file, flags }: NonNullable<CommandsPlan["changes"]>,
): Promise<void> {
  const header = await Deno.readFile(`${folder}/${file}`);
  // version, minVersion, headerSize, flags
  const found = new DataView(header.buffer).getUint16(4);
  if (found !== flags) {
    throw new Error(`"${file}" has the flags 0x${found.toString(16)}, not 0x${flags.toString(16)}`);
  }
}
