// Tables of result codes: each code by its name, with what it means.

/** Codes and one sentence each, without a full stop. */
export type ResultTable = Readonly<Record<string, readonly [code: number, meaning: string]>>;

type Codes<T extends ResultTable> = { readonly [K in keyof T]: T[K][0] };

/** The codes of a table by their names. */
export function codesOf<const T extends ResultTable>(table: T): Codes<T> {
  const codes = Object.entries(table).map(([name, [code]]) => [name, code]);
  return Object.fromEntries(codes) as Codes<T>;
}

export interface NamedMeaning {
  readonly name: string;
  readonly meaning: string;
}

/** Names and meanings by their codes; success is the same in all versions. */
export function meaningsOf(...tables: readonly ResultTable[]): Map<number, NamedMeaning> {
  const success = { name: "SUCCESS", meaning: "the command has done what it should" };
  const named = tables.flatMap((table) => Object.entries(table));
  return new Map([
    [0, success],
    ...named.map(([name, [code, meaning]]) => [code, { name, meaning }] as const),
  ]);
}
