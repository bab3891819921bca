// Numbers as the C library reads them.

/** ULONG_MAX: what is larger is no number at all. */
const MAX = 2n ** 64n - 1n;

/**
 * A number as strtoul(3) reads it, or undefined: with base 0 also `0x10` and `010`. Nothing at all
 * is 0 there, and so it is here; a sign is taken, though what is negative is for few uses.
 */
export function integer(text: string, base: 0 | 10 = 0): number | undefined {
  const value = wideInteger(text, base);
  return value === undefined ? undefined : Number(value);
}

/** The same with all its 64 bits. */
export function wideInteger(text: string, base: 0 | 10 = 0): bigint | undefined {
  if (text === "") return 0n;
  const digits = base === 10 ? /\d+/ : /0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*/;
  const match = new RegExp(`^\\s*([+-]?)(${digits.source})$`).exec(text);
  if (match === null) return undefined;
  const octal = base === 0 && /^0\d/.test(match[2]!);
  const value = BigInt(octal ? `0o${match[2]}` : match[2]!);
  if (value > MAX) return undefined;
  return match[1] === "-" ? -value : value;
}

/**
 * The number at the beginning of a text, as sscanf(3) reads it for `%u`: what is negative or larger
 * than 32 bits is taken for another number. Undefined where there is none.
 */
export function scannedNumber(text: string): number | undefined {
  const match = /^\s*([+-]?\d+)/.exec(text);
  return match === null ? undefined : Number(BigInt.asUintN(32, BigInt(match[1]!)));
}
