// The row on the control channel while the TPM is busy: GET_CONFIG, asked again and again, while
// RSA-3072 keys are being made.

import { hex } from "../../tests/support/bytes.ts";
import { Emulator } from "../../tests/support/emulator.ts";
import { tpm2 } from "../../tests/support/tpm2.ts";
import type { BenchRow, RowContext } from "./bench_row.ts";
import { bound, type Contestant, named } from "./contestants.ts";
import type { ControlResult } from "./jobs.ts";
import { checkBound, type Layout, place, usableProcessors } from "./processors.ts";
import type { ContestantId, Findings } from "./result.ts";
import { runClient } from "./run_client.ts";
import { median, orderOf } from "./statistics.ts";

/** A key takes from 50 ms to a second: the search for its primes is a matter of luck. */
const KEYS_A_ROUND = 10;
const KEYS_A_ROUND_QUICK = 2;
const PAUSE_US = 1_000;
const CLIENT_LIMIT_MS = 300_000;

/** Makes the row; `targetMs` is what p99 is to be at most. */
export function controlRow(
  id: string,
  title: string,
  layout: Layout,
  targetMs?: number,
): BenchRow {
  return {
    id,
    title,
    rounds: (effort) => effort.rounds,
    run: (context) => run(layout, targetMs, context),
  };
}

async function run(
  layout: Layout,
  targetMs: number | undefined,
  context: RowContext,
): Promise<Findings> {
  const { contestants, effort, progress } = context;
  const { rounds } = effort;
  const found = new Map<ContestantId, ControlResult[]>(contestants.map(({ id }) => [id, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contestant of orderOf(contestants, round)) {
      progress(`round ${round + 1} of ${rounds}: ${contestant.id}`);
      const keys = effort.quick ? KEYS_A_ROUND_QUICK : KEYS_A_ROUND;
      const measuring = measure(layout, contestant, round, keys);
      found.get(contestant.id)!.push(await named(contestant.id, measuring));
    }
  }
  const valuesOf = (value: (result: ControlResult) => number) =>
    Object.fromEntries(
      [...found].map(([id, results]) => [id, { rounds: results.map(value) }]),
    );
  return {
    figures: [
      {
        name: "GET_CONFIG p99",
        unit: "ms",
        values: valuesOf(({ latencyUs }) => latencyUs.p99 / 1e3),
        ...targetMs === undefined ? {} : { target: { kind: "value", most: targetMs } as const },
      },
      {
        name: "GET_CONFIG longest",
        unit: "ms",
        values: valuesOf(({ latencyUs }) => latencyUs.most / 1e3),
      },
      { name: "one key", unit: "ms", values: valuesOf(({ keyMs }) => median(keyMs)) },
    ],
    notes: [
      `asked again ${PAUSE_US / 1e3} ms after each answer; samples: ` +
      [...found].map(([id, results]) =>
        `${id} ${results.reduce((sum, { latencyUs }) => sum + latencyUs.count, 0)}`
      ).join(", ") + " (a program that answers after the key has one a key)",
    ],
  };
}

async function measure(
  layout: Layout,
  contestant: Contestant,
  round: number,
  keys: number,
): Promise<ControlResult> {
  const placement = place(layout, usableProcessors());
  await using server = await Emulator.start({
    program: bound(contestant.program, placement.server),
    flags: ["startup-clear"],
  });
  await server.serving();
  checkBound(server.pid, placement.server);
  return await runClient<"control">({
    kind: "control",
    processors: placement.client,
    data: server.dataAddress,
    control: server.controlAddress,
    keyCommands: Array.from(
      { length: keys },
      (_, key) => hex(tpm2.createPrimaryRsa(3072, round * keys + key)),
    ),
    pauseUs: PAUSE_US,
  }, CLIENT_LIMIT_MS);
}
