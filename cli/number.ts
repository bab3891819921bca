// Numbers as the C library reads them.

/** A number as strtoul(3) with base 0 reads it, or undefined. */
export function integer(text: string): number | undefined {
  const match = /^\s*\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/.exec(text);
  if (match === null) return undefined;
  const digits = match[1]!;
  if (/^0[xX]/.test(digits)) return parseInt(digits, 16);
  return parseInt(digits, digits.startsWith("0") ? 8 : 10);
}
