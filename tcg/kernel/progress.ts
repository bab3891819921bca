// Reads the parts of a message one after the other: how far it has got, and what stopped it. What
// cannot be read is kept as it came, so that every message is written again to the same bytes.

import { WireError } from "../../wire/codec.ts";
import type { NamedHandle } from "./declaration.ts";
import type { Reader } from "./reader.ts";
import type { FieldCodec } from "./struct.ts";
import type { Writer } from "./writer.ts";

/** What was read up to now; a fault leaves it at the last whole value. */
export class Progress {
  readonly handles: number[] = [];
  readonly parameters: Record<string, unknown> = {};
  fault: WireError | undefined;

  /** Everything before `done` was read. */
  constructor(public done: number) {}

  /** Reads with `read`; a fault in it is kept. */
  attempt(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.fault = error;
    }
  }

  readHandles(reader: Reader, handles: readonly NamedHandle[]): void {
    for (const { name, codec } of handles) {
      this.handles.push(reader.field(name, (reader) => codec.decode(reader)));
      this.done = reader.offset;
    }
  }

  readParameters(reader: Reader, fields: readonly FieldCodec[]): void {
    const { parameters } = this;
    for (const field of fields) {
      reader.enter(field.name);
      parameters[field.name] = field.decode(reader, parameters);
      reader.leave();
      this.done = reader.offset;
    }
  }
}

/** Writes as many handles as were read. */
export function writeHandles(
  writer: Writer,
  handles: readonly NamedHandle[],
  values: readonly number[],
): void {
  for (const [index, { name, codec }] of handles.entries()) {
    const value = values[index];
    if (value === undefined) return;
    writer.enter(name);
    codec.encode(writer, value);
    writer.leave();
  }
}

/** Writes as many parameters as were read. */
export function writeParameters(
  writer: Writer,
  fields: readonly FieldCodec[],
  parameters: Readonly<Record<string, unknown>>,
): void {
  for (const field of fields) {
    if (!Object.hasOwn(parameters, field.name)) return;
    writer.enter(field.name);
    field.encode(writer, parameters);
    writer.leave();
  }
}
