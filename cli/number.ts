// Numbers as the C library reads them.

/** ULONG_MAX: what is larger is no number at all. */
const MAX = 2n ** 64n - 1n;

/**
 * A number as strtoul(3) reads it, or undefined: with base 0 also `0x10` and `010`. Nothing at all
 * is 0 there, and so it is here; a sign is taken, though what is negative is for few uses.
 */
export function integer(text: string, base: 0 | 10 = 0): number | undefined {
  if (text === "") return 0;
  const digits = base === 10 ? /\d+/ : /0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*/;
  const match = new RegExp(`^\\s*([+-]?)(${digits.source})$`).exec(text);
  if (match === null) return undefined;
  const octal = base === 0 && /^0\d/.test(match[2]!);
  const value = BigInt(octal ? `0o${match[2]}` : match[2]!);
  if (value > MAX) return undefined;
  return match[1] === "-" ? -Number(value) : Number(value);
}
