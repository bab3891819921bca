// What whole messages have in common in both versions: a header, what was read behind it, and values
// on their way to bytes and back.

import type { WireError } from "../../wire/codec.ts";
import type { AnyDeclaration, CommandValue, ResponseValue } from "./declaration.ts";
import { Writer } from "./writer.ts";

/** Bytes of tag, size and code. */
export const HEADER_SIZE = 10;

/** A command or a response; `D` is the declaration of its version, `S` the session. */
export interface Message<D, S> {
  readonly tag: number;
  /** What the header says; not the number of bytes when {@linkcode fault} says so. */
  readonly size: number;
  /** The command's code, or the response's: 0 for success. */
  readonly code: number;
  /** The command that it is or answers; undefined for one that is not known. */
  readonly command: D | undefined;
  /** As many as could be read, in their order. */
  readonly handles: readonly number[];
  /**
   * The authorisations. Undefined where the tag says that there are none, or where they could not be
   * read.
   */
  readonly sessions: readonly S[] | undefined;
  /** By name, as many as could be read; an encrypted one is not among them. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** What is encrypted: with a TPM 2 the first parameter, with a TPM 1.2 all of them as they came. */
  readonly encrypted: Uint8Array | undefined;
  /** What could not be read: all bytes from there to the end. */
  readonly rest: Uint8Array;
  /** What is wrong, and where. */
  readonly fault: WireError | undefined;
}

/** The handles in a command's value, in their order. */
export function handlesIn<D extends AnyDeclaration>(command: D, value: CommandValue<D>): number[] {
  return command.lists.handles.map(({ name }) => (value as Record<string, number>)[name]!);
}

/** The parameters in a command's value, as bytes. */
export function parametersIn<D extends AnyDeclaration>(
  command: D,
  value: CommandValue<D>,
): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  for (const field of command.lists.parameters) {
    writer.enter(field.name);
    field.encode(writer, value as Record<string, unknown>);
    writer.leave();
  }
  return writer.finish();
}

/** The handles and parameters of a response without a fault, by name. */
export function valuesOf<D extends AnyDeclaration>(
  command: D,
  { handles, parameters }: Pick<Message<D, unknown>, "handles" | "parameters">,
): ResponseValue<D> {
  const named = command.lists.responseHandles.map(({ name }, index) => [name, handles[index]]);
  return { ...Object.fromEntries(named), ...parameters } as ResponseValue<D>;
}
