// Rows on control commands between TPM commands, as QEMU sends them when it changes the locality or
// reads the established flag: GET_CONFIG right after some TPM commands came back to back.

import { hex } from "../../tests/support/bytes.ts";
import { Emulator } from "../../tests/support/emulator.ts";
import { tpm2 } from "../../tests/support/tpm2.ts";
import { type BenchRow, type RowContext, scaled } from "./bench_row.ts";
import { bound, named } from "./contestants.ts";
import type { BetweenResult } from "./jobs.ts";
import { checkBound, type Layout, place, usableProcessors } from "./processors.ts";
import type { ContestantId, Figure, Findings, PeerId } from "./result.ts";
import { runClient } from "./run_client.ts";
import { orderOf, type Summary } from "./statistics.ts";

const BOTH: readonly PeerId[] = ["0.7.1", "0.10"];

/** Commands before a control command: one, and a few more than the loop learns a habit from. */
const BEHIND = [1, 9, 17] as const;
const RANDOM_SIZE = 16;
const WARM_UP = 1000;
const TURNS = 20;
const COUNT = 25;
const CLIENT_LIMIT_MS = 300_000;

/** What control commands may take of what they take with a C program. */
export interface BetweenTargets {
  readonly p50: number;
  readonly p99: number;
}

/** Makes a row. */
export function betweenRow(
  id: string,
  title: string,
  layout: Layout,
  targets: BetweenTargets,
): BenchRow {
  return {
    id,
    title,
    rounds: (effort) => effort.rounds,
    run: (context) => run(layout, targets, context),
  };
}

async function run(
  layout: Layout,
  targets: BetweenTargets,
  { contestants, effort, progress }: RowContext,
): Promise<Findings> {
  const found = new Map<ContestantId, BetweenResult["sides"][number][]>(
    contestants.map(({ id }) => [id, []]),
  );
  for (let round = 0; round < effort.rounds; round++) {
    progress(`round ${round + 1} of ${effort.rounds}`);
    const order = orderOf(contestants, round);
    const placement = place(layout, usableProcessors());
    await using running = new AsyncDisposableStack();
    const servers: Emulator[] = [];
    for (const { id, program } of order) {
      const starting = Emulator.start({
        program: bound(program, placement.server),
        flags: ["startup-clear"],
      });
      const server = running.use(await named(id, starting));
      await server.serving();
      servers.push(server);
    }
    const check = () => servers.forEach(({ pid }) => checkBound(pid, placement.server));
    check();
    const { sides } = await runClient<"between">({
      kind: "between",
      processors: placement.client,
      sides: servers.map(({ dataAddress, controlAddress }) => (
        { data: dataAddress, control: controlAddress }
      )),
      command: hex(tpm2.getRandom(RANDOM_SIZE)),
      behind: BEHIND,
      warmUp: WARM_UP,
      turns: scaled(TURNS, effort),
      count: COUNT,
    }, CLIENT_LIMIT_MS);
    check();
    order.forEach(({ id }, index) => found.get(id)!.push(sides[index]!));
  }
  const figure = (at: number, name: keyof BetweenTargets, value: (of: Summary) => number) => ({
    name: `after ${BEHIND[at]}, ${name}`,
    unit: "us",
    values: Object.fromEntries(
      [...found].map(([id, results]) => [
        id,
        { rounds: results.map(({ latencyUs }) => value(latencyUs[at]!)) },
      ]),
    ),
    target: { kind: "ratio", most: targets[name], against: BOTH },
  } satisfies Figure);
  return {
    figures: BEHIND.flatMap((_, at) => [
      figure(at, "p50", ({ median }) => median),
      figure(at, "p99", ({ p99 }) => p99),
    ]),
    notes: [],
  };
}
