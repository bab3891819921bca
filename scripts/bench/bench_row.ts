// What every row of the benchmark has, and what it is handed when it runs.
// The rows themselves stand in rows.ts.

import type { Contestant } from "./contestants.ts";
import type { Findings } from "./result.ts";

/** How much is measured. */
export interface Effort {
  /** Rounds of the rows that take turns. */
  readonly rounds: number;
  /** A quick look: a tenth of the commands, shorter waits. */
  readonly quick: boolean;
}

/** What a row is run with. */
export interface RowContext {
  readonly contestants: readonly Contestant[];
  /** The program that does nothing; made when a row wants it. */
  readonly floor: () => Promise<Contestant>;
  readonly effort: Effort;
  /** Says what goes on. */
  readonly progress: (text: string) => void;
}

/** One line of the table that is to be reached. */
export interface BenchRow {
  readonly id: string;
  readonly title: string;
  /** How often the contestants take turns at this effort. */
  rounds(effort: Effort): number;
  run(context: RowContext): Promise<Findings>;
}

/** A count at this effort. */
export function scaled(count: number, effort: Effort): number {
  return effort.quick ? Math.ceil(count / 10) : count;
}
