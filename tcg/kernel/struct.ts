// Structures of named fields in the order of the specification, and unions: which of its arms a
// field has is said by the value of an earlier field, its selector.

import type { AnyCodec, Codec, Value } from "./codec.ts";
import type { Reader } from "./reader.ts";
import type { Shown, ShownField } from "./shown.ts";
import type { Writer } from "./writer.ts";

/** One arm of a union: the values of the selector that choose it, and what it holds. */
export type Arm = readonly [when: number | readonly number[], holds: AnyCodec];

type Arms = Readonly<Record<string, Arm>>;

/** The value of a union: at most one arm is there, none where its selector stands for nothing. */
export type UnionValue<A extends Arms> = { readonly [K in keyof A]?: Value<A[K][1]> };

/** A union; it is read with the value of its selector. */
export interface Union<V> {
  readonly type: string;
  decode(reader: Reader, selector: number): V;
  encode(writer: Writer, value: V, selector: number): void;
  /** Undefined when there is nothing to show. */
  show(value: V): Shown | undefined;
}

/** What a union does besides its arms. */
export interface UnionOptions {
  /** Selectors for which nothing is there. */
  readonly empty?: readonly number[];
  /** The arm for all selectors that are not known; without one they are refused. */
  readonly otherwise?: string;
}

/** Declares a union by the names of its arms in the specification. */
export function union<const A extends Arms>(
  type: string,
  arms: A,
  options: UnionOptions = {},
): Union<UnionValue<A>> {
  const bySelector = new Map<number, string | null>();
  for (const selector of options.empty ?? []) bySelector.set(selector, null);
  for (const [name, [when]] of Object.entries(arms)) {
    for (const selector of typeof when === "number" ? [when] : when) bySelector.set(selector, name);
  }
  const armOf = (selector: number) => bySelector.get(selector) ?? options.otherwise;
  const unknown = (selector: number) => `${type} is not known for 0x${selector.toString(16)}`;
  type Values = Record<string, unknown>;
  return {
    type,
    decode(reader, selector) {
      if (bySelector.get(selector) === null) return {};
      const name = armOf(selector);
      if (name === undefined) return reader.fail(unknown(selector));
      return { [name]: reader.field(name, arms[name]![1].decode) } as UnionValue<A>;
    },
    encode(writer, value, selector) {
      if (bySelector.get(selector) === null) return;
      const name = armOf(selector);
      if (name === undefined) return writer.fail(unknown(selector));
      const held = (value as Values)[name];
      if (held === undefined) writer.fail(`for 0x${selector.toString(16)} "${name}" is wanted`);
      writer.enter(name);
      arms[name]![1].encode(writer, held);
      writer.leave();
    },
    show(value) {
      for (const [name, held] of Object.entries(value)) {
        if (held !== undefined) return arms[name]![1].show(held);
      }
      return undefined;
    },
  };
}

/** A field that is a union, and the name of the field that selects. */
export interface Selected<V> {
  readonly selector: string;
  readonly union: Union<V>;
}

/** A field that holds the arm of a union that an earlier field selects. */
export function by<V>(selector: string, union: Union<V>): Selected<V> {
  return { selector, union };
}

// deno-lint-ignore no-explicit-any
export type Fields = Readonly<Record<string, AnyCodec | Selected<any>>>;

/** The value of a structure: one property for each field. */
export type StructValue<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Selected<infer V> ? V : Value<F[K]>;
};

/** A structure; its fields can be asked for. */
export interface StructCodec<F extends Fields> extends Codec<StructValue<F>> {
  readonly fields: F;
}

/** One field of a structure, ready to be read, written and shown beside its neighbours' values. */
export interface FieldCodec {
  readonly name: string;
  readonly sizeMin: number;
  decode(reader: Reader, values: Readonly<Record<string, unknown>>): unknown;
  encode(writer: Writer, values: Readonly<Record<string, unknown>>): void;
  show(values: Readonly<Record<string, unknown>>): Shown | undefined;
}

/** The fields in their order. */
export function fieldsOf(type: string, fields: Fields): FieldCodec[] {
  const before = new Set<string>();
  return Object.entries(fields).map(([name, field]) => {
    if ("union" in field && !before.has(field.selector)) {
      throw new TypeError(
        `${type}.${name} is selected by "${field.selector}", which is not before`,
      );
    }
    before.add(name);
    return "union" in field ? selectedField(name, field) : plainField(name, field);
  });
}

function plainField(name: string, codec: AnyCodec): FieldCodec {
  return {
    name,
    sizeMin: codec.sizeMin,
    decode: (reader) => codec.decode(reader),
    encode(writer, values) {
      if (values[name] === undefined) writer.fail("a value is missing");
      codec.encode(writer, values[name]);
    },
    show: (values) => codec.show(values[name]),
  };
}

function selectedField(name: string, { selector, union }: Selected<unknown>): FieldCodec {
  return {
    name,
    sizeMin: 0,
    decode: (reader, values) => union.decode(reader, values[selector] as number),
    encode: (writer, values) => {
      union.encode(writer, values[name] ?? {}, values[selector] as number);
    },
    show: (values) => union.show(values[name] ?? {}),
  };
}

/** Declares a structure. */
export function struct<F extends Fields>(type: string, fields: F): StructCodec<F> {
  const list = fieldsOf(type, fields);
  return {
    type,
    fields,
    sizeMin: list.reduce((size, field) => size + field.sizeMin, 0),
    decode(reader) {
      const values: Record<string, unknown> = {};
      for (const field of list) {
        reader.enter(field.name);
        values[field.name] = field.decode(reader, values);
        reader.leave();
      }
      return values as StructValue<F>;
    },
    encode(writer, value) {
      const values = value as Record<string, unknown>;
      for (const field of list) {
        writer.enter(field.name);
        field.encode(writer, values);
        writer.leave();
      }
    },
    show: (value) => ({
      kind: "struct",
      type,
      fields: showFields(list, value as Record<string, unknown>),
    }),
  };
}

/** The fields of a value that hold something. */
export function showFields(
  list: readonly FieldCodec[],
  values: Readonly<Record<string, unknown>>,
): ShownField[] {
  const fields: ShownField[] = [];
  for (const field of list) {
    const shown = field.show(values);
    if (shown !== undefined) fields.push({ name: field.name, shown });
  }
  return fields;
}
