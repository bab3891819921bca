// The benchmark's command line as values. What rows there are is handed in.

import { parseArgs } from "node:util";
import type { BenchRow, Effort } from "./bench_row.ts";

/** What was asked for. */
export interface BenchOptions {
  readonly rows: readonly BenchRow[];
  readonly effort: Effort;
  readonly json?: string;
  /** Where a picture of the table goes. */
  readonly svg?: string;
  readonly newLibtpms: boolean;
  /** Another build of the program. */
  readonly against?: string;
}

const ROUNDS = 9;
const ROUNDS_QUICK = 3;
const ROUNDS_MAX = 1000;

/** Reads the words behind `deno task bench`. */
export function parseBenchArguments(
  words: readonly string[],
  rows: readonly BenchRow[],
): BenchOptions | "list" {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      "rounds": { type: "string" },
      "json": { type: "string" },
      "svg": { type: "string" },
      "against": { type: "string" },
      "quick": { type: "boolean", default: false },
      "new-libtpms": { type: "boolean", default: false },
      "list": { type: "boolean", default: false },
    },
  });
  if (values.list) return "list";
  for (const name of positionals) {
    if (!rows.some((row) => row.id.startsWith(name))) {
      throw new Error(`no row begins with "${name}"; there are ${rows.map((row) => row.id)}`);
    }
  }
  const names = (name: string, id: string) =>
    rows.some((row) => row.id === name) ? id === name : id.startsWith(name);
  return {
    rows: positionals.length === 0
      ? rows
      : rows.filter(({ id }) => positionals.some((name) => names(name, id))),
    effort: {
      rounds: values.rounds === undefined
        ? values.quick ? ROUNDS_QUICK : ROUNDS
        : roundsOf(values.rounds),
      quick: values.quick,
    },
    ...values.json === undefined ? {} : { json: values.json },
    ...values.svg === undefined ? {} : { svg: values.svg },
    ...values.against === undefined ? {} : { against: values.against },
    newLibtpms: values["new-libtpms"],
  };
}

function roundsOf(word: string): number {
  const rounds = Number(word);
  if (!/^\d+$/.test(word) || rounds < 1 || rounds > ROUNDS_MAX) {
    throw new Error(`--rounds takes a number from 1 to ${ROUNDS_MAX}, not "${word}"`);
  }
  return rounds;
}
