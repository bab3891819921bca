// What declarations of commands have in common in both versions: handles and parameters by name, as
// types and as lists. What is left to a version is how a command is authorised.

import type { Codec } from "./codec.ts";
import { type FieldCodec, type Fields, fieldsOf, type StructValue } from "./struct.ts";

/** Handles stand before the parameters; a version may know more of each. */
export type Handles = Readonly<Record<string, Codec<number>>>;

/** A handle of a command or response. */
export interface NamedHandle<C = Codec<number>> {
  readonly name: string;
  readonly codec: C;
}

/** The parts of a command and of its response, for whoever reads and writes. */
export interface Lists<H extends Handles = Handles, RH extends Handles = Handles> {
  readonly handles: readonly NamedHandle<H[keyof H]>[];
  readonly parameters: readonly FieldCodec[];
  readonly responseHandles: readonly NamedHandle<RH[keyof RH]>[];
  readonly response: readonly FieldCodec[];
}

/** A command as Part 3 has it. */
export interface Declaration<
  H extends Handles = Handles,
  P extends Fields = Fields,
  RH extends Handles = Handles,
  R extends Fields = Fields,
> {
  /** With its prefix: "TPM2_CreatePrimary". */
  readonly name: string;
  readonly code: number;
  /** Its section in Part 3. */
  readonly section: string;
  readonly handles: H;
  readonly parameters: P;
  readonly responseHandles: RH;
  readonly response: R;
  /** The same as lists. */
  readonly lists: Lists<H, RH>;
}

/** Some command. */
// deno-lint-ignore no-explicit-any
export type AnyDeclaration = Declaration<any, any, any, any>;

/** What goes into a command: its handles and parameters by name. */
export type CommandValue<D> = D extends
  { readonly handles: infer H extends Handles; readonly parameters: infer P extends Fields }
  ? StructValue<H> & StructValue<P>
  : never;

/** What its response holds: its handles and parameters by name. */
export type ResponseValue<D> = D extends
  { readonly responseHandles: infer H extends Handles; readonly response: infer R extends Fields }
  ? StructValue<H> & StructValue<R>
  : never;

/** What is written down of a command; what is left out is empty. */
export interface Written<H, P, RH, R> {
  readonly section: string;
  readonly handles?: H;
  readonly parameters?: P;
  readonly responseHandles?: RH;
  readonly response?: R;
}

// deno-lint-ignore ban-types
export type None = {};

/** Declares a command, as far as both versions do it in the same way. */
export function declare<H extends Handles, P extends Fields, RH extends Handles, R extends Fields>(
  name: string,
  code: number,
  written: Written<H, P, RH, R>,
): Declaration<H, P, RH, R> {
  const handles = written.handles ?? {} as H;
  const parameters = written.parameters ?? {} as P;
  const responseHandles = written.responseHandles ?? {} as RH;
  const response = written.response ?? {} as R;
  return {
    name,
    code,
    section: written.section,
    handles,
    parameters,
    responseHandles,
    response,
    lists: {
      handles: namedHandles(handles),
      parameters: fieldsOf(name, parameters),
      responseHandles: namedHandles(responseHandles),
      response: fieldsOf(name, response),
    },
  };
}

function namedHandles<H extends Handles>(handles: H): NamedHandle<H[keyof H]>[] {
  return Object.entries(handles).map(([name, codec]) => ({ name, codec: codec as H[keyof H] }));
}
