// Rows on clients that have a connection for each command: the `swtpm:` TCTI of tpm2-tools, IBM's
// tools, tcsd.

import { hex } from "../../tests/support/bytes.ts";
import { Emulator } from "../../tests/support/emulator.ts";
import { tpm2 } from "../../tests/support/tpm2.ts";
import { type BenchRow, type RowContext, scaled } from "./bench_row.ts";
import { bound, named } from "./contestants.ts";
import type { ConnectionsResult } from "./jobs.ts";
import { checkBound, place, usableProcessors } from "./processors.ts";
import type { ContestantId, Figure, Findings } from "./result.ts";
import { runClient } from "./run_client.ts";
import { orderOf } from "./statistics.ts";

const WARM_UP = 1_000;
const TURNS = 20;
const COUNT = 100;
const CLIENT_LIMIT_MS = 300_000;

/** Ratios that are to be reached. */
export interface ConnectionTargets {
  readonly p50: number;
  readonly p95: number;
  readonly cpu: number;
}

/** Makes a row. */
export function connectionsRow(
  id: string,
  title: string,
  transport: "unix" | "tcp",
  targets: ConnectionTargets,
): BenchRow {
  return {
    id,
    title,
    rounds: (effort) => effort.rounds,
    run: (context) => run(transport, targets, context),
  };
}

async function run(
  transport: "unix" | "tcp",
  targets: ConnectionTargets,
  { contestants, effort, progress }: RowContext,
): Promise<Findings> {
  type SideResult = ConnectionsResult["sides"][number];
  const found = new Map<ContestantId, SideResult[]>(contestants.map(({ id }) => [id, []]));
  for (let round = 0; round < effort.rounds; round++) {
    progress(`round ${round + 1} of ${effort.rounds}`);
    const order = orderOf(contestants, round);
    const placement = place("two cores", usableProcessors());
    await using running = new AsyncDisposableStack();
    const servers: Emulator[] = [];
    for (const { id, program } of order) {
      const starting = Emulator.start({
        program: bound(program, placement.server),
        transport,
        flags: ["startup-clear"],
      });
      const server = running.use(await named(id, starting));
      await server.serving();
      checkBound(server.pid, placement.server);
      servers.push(server);
    }
    const { sides } = await runClient<"connections">({
      kind: "connections",
      processors: placement.client,
      sides: servers.map(({ dataAddress, pid }) => ({ data: dataAddress, serverPid: pid })),
      command: hex(tpm2.getRandom(16)),
      warmUp: WARM_UP,
      turns: scaled(TURNS, effort),
      count: COUNT,
    }, CLIENT_LIMIT_MS);
    order.forEach(({ id }, index) => found.get(id)!.push(sides[index]!));
  }
  const figure = (name: string, most: number, value: (result: SideResult) => number): Figure => ({
    name,
    unit: "us",
    values: Object.fromEntries(
      [...found].map(([id, results]) => [id, { rounds: results.map(value) }]),
    ),
    target: { kind: "ratio", most, against: ["0.7.1", "0.10"] },
  });
  return {
    figures: [
      figure("connect to close, p50", targets.p50, ({ latencyUs }) => latencyUs.median),
      figure("connect to close, p95", targets.p95, ({ latencyUs }) => latencyUs.p95),
      figure("server CPU", targets.cpu, ({ serverCpuUs }) => serverCpuUs),
    ],
    notes: [],
  };
}
