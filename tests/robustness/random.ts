// Random numbers that a seed repeats, for tests whose failures must be repeatable. Leaves what is
// chosen with them to the tests.

/** A sequence of random numbers that depends on nothing but its seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    // mulberry32: a counter through a mixing function; plenty for choosing test data.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  /** An integer from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True in one of `times` cases. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of the values. */
  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError("nothing to pick from");
    return value;
  }

  /** Random bytes. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** The seed in the environment variable of this name, or a new one. */
export function seedFrom(variable: string): number {
  const given = Deno.env.get(variable);
  if (given === undefined) return Date.now() >>> 0;
  const seed = Number(given);
  if (!Number.isInteger(seed)) throw new Error(`${variable} is no integer: "${given}"`);
  return seed >>> 0;
}
