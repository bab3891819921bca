// How a command is declared: its handles, its parameters, whose authorisations end it, and its
// response. Part 3 of the specification, command by command, stands in commands/; reading and
// writing whole messages in message.ts.

import type { Codec } from "../kernel/codec.ts";
import type { NamedHandle } from "../kernel/progress.ts";
import { type FieldCodec, type Fields, fieldsOf, type StructValue } from "../kernel/struct.ts";
import { TPM_ORD, TSC_ORD } from "./ordinals.ts";

/** Handles stand before the parameters, and no HMAC is over them. */
export type Handles = Readonly<Record<string, Codec<number>>>;

/**
 * The HMACs that end a command, by their names in Part 3, and whose auth value each is keyed with:
 * the name of a handle or parameter of the command, or a word for what it is.
 */
export type Authorizations = Readonly<Record<string, string>>;

/** A command as Part 3 has it. */
export interface Declaration<
  H extends Handles = Handles,
  P extends Fields = Fields,
  RH extends Handles = Handles,
  R extends Fields = Fields,
> {
  /** With its prefix: "TPM_TakeOwnership". */
  readonly name: string;
  readonly code: number;
  /** Its section in Part 3. */
  readonly section: string;
  readonly handles: H;
  readonly parameters: P;
  readonly responseHandles: RH;
  readonly response: R;
  readonly authorizations: Authorizations;
  /** How many authorisations can be left out, the first ones first. */
  readonly optional: number;
  /** It begins a session: transport sessions do not encrypt what it takes and gives. */
  readonly beginsSession: boolean;
  /** The same as lists, for whoever reads and writes. */
  readonly lists: {
    readonly handles: readonly NamedHandle[];
    readonly parameters: readonly FieldCodec[];
    readonly responseHandles: readonly NamedHandle[];
    readonly response: readonly FieldCodec[];
    readonly authorizations: readonly NamedAuthorization[];
  };
}

export interface NamedAuthorization {
  readonly name: string;
  /** Whose auth value. */
  readonly of: string;
}

/** Some command. */
// deno-lint-ignore no-explicit-any
export type AnyDeclaration = Declaration<any, any, any, any>;

/** What goes into a command: its handles and parameters by name. */
export type CommandValue<D> = D extends Declaration<infer H, infer P, Handles, Fields>
  ? StructValue<H> & StructValue<P>
  : never;

/** What its response holds: its handles and parameters by name. */
export type ResponseValue<D> = D extends Declaration<Handles, Fields, infer RH, infer R>
  ? StructValue<RH> & StructValue<R>
  : never;

/** What is written down of a command; what is left out is empty. */
interface Written<H, P, RH, R> {
  readonly section: string;
  readonly handles?: H;
  readonly parameters?: P;
  readonly responseHandles?: RH;
  readonly response?: R;
  readonly authorizations?: Authorizations;
  readonly optional?: number;
  readonly beginsSession?: true;
}

// deno-lint-ignore ban-types
type None = {};

/** Declares a command by its name in {@linkcode TPM_ORD}. */
export function command<
  H extends Handles = None,
  P extends Fields = None,
  RH extends Handles = None,
  R extends Fields = None,
>(ordinal: keyof typeof TPM_ORD, written: Written<H, P, RH, R>): Declaration<H, P, RH, R> {
  return declare(`TPM_${ordinal}`, TPM_ORD[ordinal], written);
}

/** Declares a command by its name in {@linkcode TSC_ORD}. */
export function connectionCommand<P extends Fields = None>(
  ordinal: keyof typeof TSC_ORD,
  written: Written<None, P, None, None>,
): Declaration<None, P, None, None> {
  return declare(`TSC_${ordinal}`, TSC_ORD[ordinal], written);
}

function declare<H extends Handles, P extends Fields, RH extends Handles, R extends Fields>(
  name: string,
  code: number,
  written: Written<H, P, RH, R>,
): Declaration<H, P, RH, R> {
  const handles = written.handles ?? {} as H;
  const parameters = written.parameters ?? {} as P;
  const responseHandles = written.responseHandles ?? {} as RH;
  const response = written.response ?? {} as R;
  const authorizations = written.authorizations ?? {};
  return {
    name,
    code,
    section: written.section,
    handles,
    parameters,
    responseHandles,
    response,
    authorizations,
    optional: written.optional ?? 0,
    beginsSession: written.beginsSession ?? false,
    lists: {
      handles: namedHandles(handles),
      parameters: fieldsOf(name, parameters),
      responseHandles: namedHandles(responseHandles),
      response: fieldsOf(name, response),
      authorizations: Object.entries(authorizations).map(([name, of]) => ({ name, of })),
    },
  };
}

function namedHandles(handles: Handles): NamedHandle[] {
  return Object.entries(handles).map(([name, codec]) => ({ name, codec }));
}
