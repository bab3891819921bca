// Numbers with a meaning: one of several constants, bits with names, handles. The value is always
// the number as it came, so that what a specification does not know is kept.

import { type Codec, type NumberCodec, u32 } from "./codec.ts";

/** A type whose values have names. */
export interface ConstantsCodec extends NumberCodec {
  /** The name of a value, where it has one. */
  nameOf(value: number): string | undefined;
}

/** Declares an enumeration. Of two names of one number the first one is shown. */
export function constants(
  type: string,
  base: NumberCodec,
  values: Readonly<Record<string, number>>,
): ConstantsCodec {
  const names = new Map<number, string>();
  for (const [name, value] of Object.entries(values)) {
    if (!names.has(value)) names.set(value, name);
  }
  const nameOf = (value: number) => names.get(value);
  return {
    ...base,
    type,
    nameOf,
    show: (value) => ({ kind: "constant", type, value, name: nameOf(value) }),
  };
}

/** A bit's number, or the lowest and the highest one of a part of several bits. */
export type Bits = number | readonly [low: number, high: number];

/** A type whose values are bits with names. */
export interface FlagsCodec<N extends string> extends NumberCodec {
  /** The value in which exactly these bits are set. */
  of(...names: readonly N[]): number;
  /** Whether a bit is set, or the number that a part of several bits holds. */
  get(value: number, name: N): number;
  /** The value with another number in a part of several bits. */
  with(value: number, name: N, part: number): number;
  /** What is set, by name. */
  namesOf(value: number): string[];
}

/** Declares attributes. */
export function flags<const F extends Readonly<Record<string, Bits>>>(
  type: string,
  base: NumberCodec,
  bits: F,
): FlagsCodec<keyof F & string> {
  const fields = new Map(
    Object.entries(bits).map(([name, bit]) => {
      const [low, high] = typeof bit === "number" ? [bit, bit] : bit;
      return [name, { name, low, max: 2 ** (high - low + 1) - 1 }];
    }),
  );
  const field = (name: string) => fields.get(name)!;
  const get = (value: number, name: string) => value >>> field(name).low & field(name).max;
  const put = (value: number, name: string, part: number) => {
    const { low, max } = field(name);
    return (value & ~(max << low) | (part & max) << low) >>> 0;
  };
  const namesOf = (value: number) => {
    const names: string[] = [];
    let rest = value;
    for (const { name, low, max } of fields.values()) {
      const part = value >>> low & max;
      if (part !== 0) names.push(max === 1 ? name : `${name}=${part}`);
      rest &= ~(max << low);
    }
    for (let bit = 0; rest !== 0 && bit < 32; bit++) {
      if (rest >>> bit & 1) names.push(`bit ${bit}`);
    }
    return names;
  };
  return {
    ...base,
    type,
    of: (...names) => names.reduce((value, name) => put(value, name, field(name).max), 0),
    get,
    with: put,
    namesOf,
    show: (value) => ({ kind: "flags", type, value, names: namesOf(value) }),
  };
}

/** Declares a kind of handles. */
export function handle(type: string): Codec<number> {
  return { ...u32, type, show: (value) => ({ kind: "handle", type, value }) };
}
