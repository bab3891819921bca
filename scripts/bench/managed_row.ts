// Rows on the managed address: what a single client pays for it beside the bare one, and what it takes
// that two clients have more keys than the TPM has slots.

import { hex } from "../../tests/support/bytes.ts";
import { tpm2 } from "../../tests/support/tpm2.ts";
import { Simulator } from "../../tests/simulator/server.ts";
import { type BenchRow, type RowContext, scaled } from "./bench_row.ts";
import { bound } from "./contestants.ts";
import { checkBound, type Layout, place, usableProcessors } from "./processors.ts";
import type { Figure, Findings } from "./result.ts";
import { runClient } from "./run_client.ts";
import { orderOf } from "./statistics.ts";

const WARM_UP = 5_000;
const TURNS = 40;
const COUNT = 250;
const CLIENT_LIMIT_MS = 300_000;

/** What a single client asks for. */
export interface ManagedPlan {
  readonly id: string;
  readonly title: string;
  readonly layout: Layout;
  readonly preparation?: readonly Uint8Array[];
  readonly command: Uint8Array;
  /** Share of the bare address' latency that is to be reached. */
  readonly most: number;
}

/** A row on one client, whose commands go to either address of two like servers. */
export function managedRow(plan: ManagedPlan): BenchRow {
  return {
    ...{ id: plan.id, title: plan.title },
    rounds: (effort) => effort.rounds,
    run: (context) => runAlone(plan, context),
  };
}

async function runAlone(plan: ManagedPlan, context: RowContext): Promise<Findings> {
  const { layout, preparation = [], command, most } = plan;
  const addresses = ["bare", "managed"] as const;
  const us = { bare: [] as number[], managed: [] as number[] };
  for (let round = 0; round < context.effort.rounds; round++) {
    context.progress(`round ${round + 1} of ${context.effort.rounds}`);
    const { server, client } = place(layout, usableProcessors());
    await using running = new AsyncDisposableStack();
    const servers: Simulator[] = [];
    for (const _ of addresses) servers.push(running.use(await startServer(context, server)));
    const order = orderOf(
      addresses.map((address, at) => ({ address, server: servers[at]! })),
      round,
    );
    const { sides } = await runClient<"commands">({
      kind: "commands",
      processors: client,
      sides: order.map(({ address, server: { emulator, command } }) => ({
        door: { kind: "connect", address: address === "bare" ? emulator.dataAddress : command },
        serverPid: emulator.pid,
      })),
      ...{ preparation: preparation.map(hex), commands: [hex(command)] },
      ...{ warmUp: WARM_UP, turns: scaled(TURNS, context.effort), count: COUNT },
    }, CLIENT_LIMIT_MS);
    order.forEach(({ address }, at) => us[address].push(sides[at]!.latencyUs.median));
  }
  return compare("latency", us.managed, "of the bare address", us.bare, most);
}

/** The row on two clients with two keys each, used by turns: each use wants one back. */
export function swapsRow(id: string, title: string, most: number): BenchRow {
  return {
    ...{ id, title },
    rounds: (effort) => effort.rounds,
    run: async (context) => {
      const swaps: number[] = [];
      const alone: number[] = [];
      for (let round = 0; round < context.effort.rounds; round++) {
        context.progress(`round ${round + 1} of ${context.effort.rounds}`);
        const { server, client } = place("two cores", usableProcessors());
        await using managed = await startServer(context, server);
        // Its command port has room for two, who have the TPM bare.
        await using bare = await startServer(context, server, "--mssim");
        const us = await runClient<"swaps">({
          ...{ kind: "swaps", processors: client },
          ...{ managed: managed.command, bare: bare.command, key: hex(tpm2.createPrimaryEcc()) },
          ...{ warmUp: WARM_UP, count: scaled(TURNS * COUNT, context.effort) },
        }, CLIENT_LIMIT_MS);
        swaps.push(us.swapping - us.staying);
        alone.push(us.load + us.flush - 2 * us.reading);
      }
      return compare("a swap", swaps, "ContextLoad and FlushContext alone", alone, most);
    },
  };
}

async function startServer(
  { contestants }: RowContext,
  processors: readonly number[],
  option: "--rm" | "--mssim" = "--rm",
) {
  const ours = contestants.find(({ id }) => id === "ours")!;
  const program = bound(ours.program, processors);
  const server = await Simulator.start("unix", { program, flags: ["startup-clear"] }, option);
  checkBound(server.emulator.pid, processors);
  return server;
}

/** Both in microseconds, and the one as a share of the other. */
function compare(
  name: string,
  rounds: readonly number[],
  than: string,
  others: readonly number[],
  most: number,
): Findings {
  const figure = (name: string, unit: string, rounds: readonly number[]): Figure => ({
    ...{ name, unit, values: { ours: { rounds } } },
  });
  return {
    figures: [
      figure(name, "us", rounds),
      figure(than, "us", others),
      {
        ...figure("the one as a share of the other", "", rounds.map((us, at) => us / others[at]!)),
        target: { kind: "value", most },
      },
    ],
    notes: [],
  };
}
