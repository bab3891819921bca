// The row on making a TPM as a factory does: a TPM 2 with endorsement keys, their certificates and the
// platform's in locked NV, from before the exec of swtpm_setup to its end. How long an RSA key takes is
// a matter of luck, so there are many of them; the authority is there already.

import { type House, Workshop } from "../../tests/family/houses.ts";
import type { BenchRow, RowContext } from "./bench_row.ts";
import { named } from "./contestants.ts";
import type { ContestantId, Findings, Target } from "./result.ts";
import { median, orderOf } from "./statistics.ts";

const WORDS = [
  ...["--tpm2", "--overwrite", "--create-ek-cert", "--create-platform-cert", "--lock-nvram"],
];
const SETUPS_A_ROUND = 5;
const SETUPS_A_ROUND_QUICK = 2;

/** Makes the row. */
export function setupRow(id: string, title: string, target: Target): BenchRow {
  return { id, title, rounds: (effort) => effort.rounds, run: (context) => run(target, context) };
}

async function run(
  target: Target,
  { contestants, effort, progress }: RowContext,
): Promise<Findings> {
  await using workshops = new AsyncDisposableStack();
  const older = workshops.use(await Workshop.make("0.7.1"));
  const newer = workshops.use(await Workshop.make("0.10"));
  const before = contestants.find(({ id }) => id === "before");
  const makers: Partial<Record<ContestantId, readonly [Workshop, House] | undefined>> = {
    "ours": [older, older.ours],
    "before": before && [older, { ...older.ours, setup: { ...before.program, args: ["setup"] } }],
    "0.7.1": [older, older.c],
    "ours+libtpms-0.10": [newer, newer.ours],
    "0.10": [newer, newer.c],
  };
  const setups = effort.quick ? SETUPS_A_ROUND_QUICK : SETUPS_A_ROUND;
  const found = new Map<ContestantId, number[]>(contestants.map(({ id }) => [id, []]));
  // The first one makes the authority, and is not counted.
  for (const { id } of contestants) await measure(id, ...makers[id]!);
  for (let round = 0; round < effort.rounds; round++) {
    progress(`round ${round + 1} of ${effort.rounds}`);
    const times = new Map<ContestantId, number[]>(contestants.map(({ id }) => [id, []]));
    for (let setup = 0; setup < setups; setup++) {
      for (const { id } of orderOf(contestants, round + setup)) {
        times.get(id)!.push(await measure(id, ...makers[id]!));
      }
    }
    for (const [id, values] of times) found.get(id)!.push(median(values));
  }
  const values = Object.fromEntries([...found].map(([id, rounds]) => [id, { rounds }]));
  return {
    figures: [{ name: "exec to end", unit: "ms", values, target }],
    notes: [],
  };
}

async function measure(id: ContestantId, workshop: Workshop, house: House): Promise<number> {
  const place = workshop.folder.join(`state-${id}`);
  Deno.mkdirSync(place, { recursive: true });
  const begin = performance.now();
  const { code, stderr } = await named(id, workshop.setup(house, place, WORDS));
  const end = performance.now();
  if (code !== 0) throw new Error(`${id}: swtpm_setup ended with ${code}: ${stderr}`);
  return end - begin;
}
