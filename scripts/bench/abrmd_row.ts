// The row on two resource managers: ours at the managed address, and tpm2-abrmd with a D-Bus of its own
// before the C program, as the TSS' own library sees them. The client is esys_client.c.

import { fileURLToPath } from "node:url";
import { TempDir } from "../../tests/support/temp_dir.ts";
import { runWith, type TpmKind } from "../../tests/suites/tpms.ts";
import { lastLines, runCommand } from "../command.ts";
import { type BenchRow, type RowContext, scaled } from "./bench_row.ts";
import { named } from "./contestants.ts";
import type { ContestantId, Figure, Findings } from "./result.ts";

const SOURCE = fileURLToPath(new URL("esys_client.c", import.meta.url));
const COMPILE_LIMIT_MS = 60_000;
const COUNT = 5_000;

/** What the client writes: microseconds, medians. */
interface Medians {
  readonly random: number;
  readonly swapping: number;
}

const KINDS: Partial<Record<ContestantId, TpmKind>> = { "ours": "managed", "0.7.1": "c" };

/** Makes the row. */
export function abrmdRow(id: string, title: string, most: number): BenchRow {
  return { id, title, rounds: (effort) => effort.rounds, run: (context) => run(most, context) };
}

async function run(most: number, { contestants, effort, progress }: RowContext): Promise<Findings> {
  await using folder = new TempDir("swtpm-bench-");
  const client = folder.join("client");
  const words = ["-O2", "-Wall", "-o", client, SOURCE, "-ltss2-esys", "-ltss2-tctildr"];
  const compiled = await runCommand("gcc", words, { timeLimitMs: COMPILE_LIMIT_MS });
  if (!compiled.success) throw new Error(`the client: ${lastLines(compiled.output, 20)}`);
  const found = new Map<ContestantId, Medians[]>();
  for (let round = 0; round < effort.rounds; round++) {
    progress(`round ${round + 1} of ${effort.rounds}`);
    for (const { id } of contestants) {
      const kind = KINDS[id];
      if (kind === undefined) continue;
      const part = { name: "client", command: [client, String(scaled(COUNT, effort))] };
      const { code, stdout, stderr } = await named(id, runWith(kind, part));
      if (code !== 0) throw new Error(`${id}: the client ended with ${code}: ${stderr}`);
      found.set(id, [...found.get(id) ?? [], JSON.parse(stdout) as Medians]);
    }
  }
  const figure = (name: string, value: (medians: Medians) => number): Figure => ({
    ...{ name, unit: "us" },
    values: Object.fromEntries([...found].map(([id, all]) => [id, { rounds: all.map(value) }])),
    target: { kind: "ratio", most, against: ["0.7.1"] },
  });
  return {
    figures: [
      figure("TPM2_GetRandom(16)", ({ random }) => random),
      figure("TPM2_ReadPublic by turns", ({ swapping }) => swapping),
    ],
    notes: ["0.7.1 behind tpm2-abrmd; nobody bound; the time of the TSS' library is in both"],
  };
}
