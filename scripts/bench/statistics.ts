// Numbers out of samples: medians, percentiles and the ratio of two programs over their rounds.
// What was measured, and how often, is left to the rows.

/** What one series of samples comes to, in the unit of its samples. */
export interface Summary {
  readonly count: number;
  readonly least: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly most: number;
  readonly mean: number;
}

/** The middle of the values; the mean of the two in the middle where their count is even. */
export function median(values: ArrayLike<number>): number {
  const sorted = sortedCopy(values);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The smallest value that `share` of all values do not exceed (nearest rank). */
export function percentile(values: ArrayLike<number>, share: number): number {
  if (!(share > 0 && share <= 1)) throw new RangeError(`a share is above 0 up to 1, not ${share}`);
  return rank(sortedCopy(values), share);
}

/** All that is kept of a series of samples. */
export function summarise(samples: ArrayLike<number>): Summary {
  const sorted = sortedCopy(samples);
  let sum = 0;
  for (const sample of sorted) sum += sample;
  return {
    count: sorted.length,
    least: sorted[0]!,
    median: median(sorted),
    p95: rank(sorted, 0.95),
    p99: rank(sorted, 0.99),
    p999: rank(sorted, 0.999),
    most: sorted[sorted.length - 1]!,
    mean: sum / sorted.length,
  };
}

/** How much one program takes of what another takes: the ratio of the medians of their rounds. */
export function ratioOfMedians(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours) / median(theirs);
}

/**
 * The same ratio round by round, lowest and highest: how far the rounds agree. Rounds are pairs,
 * because the programs took turns.
 */
export function ratioSpread(
  ours: readonly number[],
  theirs: readonly number[],
): readonly [number, number] {
  if (ours.length !== theirs.length) {
    throw new RangeError(`${ours.length} rounds of one program, ${theirs.length} of the other`);
  }
  const ratios = sortedCopy(ours.map((value, round) => value / theirs[round]!));
  return [ratios[0]!, ratios[ratios.length - 1]!];
}

/**
 * The order of the contestants in a round: each has each place, before and behind each other one,
 * equally often, and of three or more none has two turns on end, which would find the caches warm.
 */
export function orderOf<T>(contestants: readonly T[], round: number): T[] {
  const { length } = contestants;
  const forth = Math.floor(round / length) % 2 === 0;
  const circle = forth ? contestants : contestants.toReversed();
  const first = round % length;
  return [...circle.slice(first), ...circle.slice(0, first)];
}

function rank(sorted: Float64Array, share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1]!;
}

function sortedCopy(values: ArrayLike<number>): Float64Array {
  if (values.length === 0) throw new RangeError("there are no values");
  const copy = Float64Array.from(values);
  if (copy.some(Number.isNaN)) throw new RangeError("a value is not a number");
  return copy.sort();
}
