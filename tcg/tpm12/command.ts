// How a command is declared: its handles, its parameters, whose authorisations end it, and its
// response. Part 3 of the specification, command by command, stands in commands/; reading and
// writing whole messages in message.ts.

import * as kernel from "../kernel/declaration.ts";
import type { Fields } from "../kernel/struct.ts";
import { TPM_ORD, TSC_ORD } from "./ordinals.ts";

/**
 * The HMACs that end a command, by their names in Part 3, and whose auth value each is keyed with:
 * the name of a handle or parameter of the command, or a word for what it is.
 */
export type Authorizations = Readonly<Record<string, string>>;

/** A command as Part 3 has it. */
export interface Declaration<
  H extends kernel.Handles = kernel.Handles,
  P extends Fields = Fields,
  RH extends kernel.Handles = kernel.Handles,
  R extends Fields = Fields,
> extends kernel.Declaration<H, P, RH, R> {
  readonly authorizations: Authorizations;
  /** How many authorisations can be left out, the first ones first. */
  readonly optional: number;
  /** It begins a session: transport sessions do not encrypt what it takes and gives. */
  readonly beginsSession: boolean;
  readonly lists: kernel.Lists<H, RH> & { readonly authorizations: readonly NamedAuthorization[] };
}

export interface NamedAuthorization {
  readonly name: string;
  /** Whose auth value. */
  readonly of: string;
}

/** Some command. */
// deno-lint-ignore no-explicit-any
export type AnyDeclaration = Declaration<any, any, any, any>;

/** What is written down of a command; what is left out is empty. */
interface Written<H, P, RH, R> extends kernel.Written<H, P, RH, R> {
  readonly authorizations?: Authorizations;
  readonly optional?: number;
  readonly beginsSession?: true;
}

/** Declares a command by its name in {@linkcode TPM_ORD}. */
export function command<
  H extends kernel.Handles = kernel.None,
  P extends Fields = kernel.None,
  RH extends kernel.Handles = kernel.None,
  R extends Fields = kernel.None,
>(ordinal: keyof typeof TPM_ORD, written: Written<H, P, RH, R>): Declaration<H, P, RH, R> {
  return declare(`TPM_${ordinal}`, TPM_ORD[ordinal], written);
}

/** Declares a command by its name in {@linkcode TSC_ORD}. */
export function connectionCommand<P extends Fields = kernel.None>(
  ordinal: keyof typeof TSC_ORD,
  written: Written<kernel.None, P, kernel.None, kernel.None>,
): Declaration<kernel.None, P, kernel.None, kernel.None> {
  return declare(`TSC_${ordinal}`, TSC_ORD[ordinal], written);
}

function declare<
  H extends kernel.Handles,
  P extends Fields,
  RH extends kernel.Handles,
  R extends Fields,
>(
  name: string,
  code: number,
  written: Written<H, P, RH, R>,
): Declaration<H, P, RH, R> {
  const { authorizations = {}, optional = 0, beginsSession = false } = written;
  const common = kernel.declare(name, code, written);
  const named = Object.entries(authorizations).map(([name, of]) => ({ name, of }));
  const lists = { ...common.lists, authorizations: named };
  return { ...common, authorizations, optional, beginsSession, lists };
}
