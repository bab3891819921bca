// What a row yields: figures of each contestant, their ratios, and whether the mark is reached.
// How figures are measured is left to the rows, how they are shown to report.ts.

import { median, ratioOfMedians, ratioSpread } from "./statistics.ts";

/**
 * Who takes part: the program under test, the same over libtpms 0.10, another build of it, the two C
 * programs, and a program that does nothing, made by the same compiler: what nothing of ours can be
 * below.
 */
export type ContestantId = "ours" | "ours+libtpms-0.10" | PeerId;

/** Those that ours is measured against. */
export type PeerId = "before" | "0.7.1" | "0.10" | "floor";

export const PEERS: readonly PeerId[] = ["before", "0.7.1", "0.10", "floor"];

/** One contestant's values, one a round. */
export interface Values {
  readonly rounds: readonly number[];
  /** The 99th percentile of each round, where a round has many samples. */
  readonly p99?: readonly number[];
}

/** What is to be reached: a share of what a C program takes, or a plain value. */
export type Target =
  | { readonly kind: "ratio"; readonly most: number; readonly against: readonly PeerId[] }
  | { readonly kind: "value"; readonly most: number };

/** One thing measured of all contestants. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly values: Partial<Record<ContestantId, Values>>;
  /** Without one the figure is there to be looked at. */
  readonly target?: Target;
}

/** What a row found. */
export interface Findings {
  readonly figures: readonly Figure[];
  /** What a reader has to know beside the figures. */
  readonly notes: readonly string[];
}

/** Whether a target was reached. */
export type Mark = "reached" | "missed";

/** Ours against one peer. */
export interface Ratio {
  readonly ours: ContestantId;
  readonly peer: PeerId;
  readonly ratio: number;
  /** Lowest and highest of the rounds. */
  readonly spread: readonly [number, number];
  /** Some rounds say more, some less: what is between the two is noise. */
  readonly noise: boolean;
}

/** The median of a contestant's rounds; undefined for one that was not measured. */
export function medianOf(figure: Figure, id: ContestantId): number | undefined {
  const values = figure.values[id];
  return values === undefined ? undefined : median(values.rounds);
}

/** The median of the rounds' 99th percentiles. */
export function p99Of(figure: Figure, id: ContestantId): number | undefined {
  const values = figure.values[id]?.p99;
  return values === undefined ? undefined : median(values);
}

/** Ours over one peer; undefined where one of the two was not measured or the peer took nothing. */
export function ratioOf(figure: Figure, ours: ContestantId, peer: PeerId): Ratio | undefined {
  const mine = figure.values[ours]?.rounds;
  const theirs = figure.values[peer]?.rounds;
  if (mine === undefined || theirs === undefined || theirs.includes(0)) return undefined;
  const spread = ratioSpread(mine, theirs);
  const noise = spread[0] <= 1 && spread[1] >= 1;
  return { ours, peer, ratio: ratioOfMedians(mine, theirs), spread, noise };
}

/** Whether ours reached the figure's target; a target that was not measured is missed. */
export function markOf(figure: Figure): Mark | undefined {
  const { target } = figure;
  if (target === undefined) return undefined;
  switch (target.kind) {
    case "value":
      return (medianOf(figure, "ours") ?? Infinity) <= target.most ? "reached" : "missed";
    case "ratio":
      return target.against.every((peer) =>
          (ratioOf(figure, "ours", peer)?.ratio ?? Infinity) <= target.most
        )
        ? "reached"
        : "missed";
  }
}
