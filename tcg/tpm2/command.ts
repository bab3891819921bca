// How a command is declared: its handles and which of them are authorised in which role, its
// parameters, and its response. Part 3 of the specification, command by command, stands in
// commands/; reading and writing whole messages in message.ts.

import type { AnyCodec, Codec } from "../kernel/codec.ts";
import * as kernel from "../kernel/declaration.ts";
import type { Fields } from "../kernel/struct.ts";
import { TPM_CC } from "./command_codes.ts";
import type { Position } from "./results.ts";
import { isSized } from "./types.ts";

/** The role in which a handle is authorised (Part 1, 19.2): what Part 3 marks with "@". */
export type AuthRole = "user" | "admin" | "dup";

/** A handle of a command. */
export interface HandleCodec extends Codec<number> {
  /** Undefined for a handle that needs no authorisation. */
  readonly role?: AuthRole;
}

/** A handle that is authorised in the user role. */
export function user(handle: Codec<number>): HandleCodec {
  return { ...handle, role: "user" };
}

/** A handle that is authorised in the admin role. */
export function admin(handle: Codec<number>): HandleCodec {
  return { ...handle, role: "admin" };
}

/** A handle that is authorised in the duplication role. */
export function dup(handle: Codec<number>): HandleCodec {
  return { ...handle, role: "dup" };
}

export type Handles = Readonly<Record<string, HandleCodec>>;

/** A command as Part 3 has it. */
export interface Declaration<
  H extends Handles = Handles,
  P extends Fields = Fields,
  RH extends Handles = Handles,
  R extends Fields = Fields,
> extends kernel.Declaration<H, P, RH, R> {
  /** False for the few commands that no session may go with. */
  readonly sessions: boolean;
  /** The command may write to NV memory. */
  readonly nv: boolean;
  /** The command may flush any number of contexts. */
  readonly extensive: boolean;
  /** Its first handle is gone after it. */
  readonly flushed: boolean;
  /** Its first parameter can be sent, its response's first one received encrypted. */
  readonly decrypt: boolean;
  readonly encrypt: boolean;
}

/** Some command. */
// deno-lint-ignore no-explicit-any
export type AnyDeclaration = Declaration<any, any, any, any>;

/** What is written down of a command; what is left out is empty or usual. */
interface Written<H, P, RH, R> extends kernel.Written<H, P, RH, R> {
  readonly sessions?: false;
  readonly nv?: true;
  readonly extensive?: true;
  readonly flushed?: true;
}

/** Declares a command by its name in {@linkcode TPM_CC}. */
export function command<
  H extends Handles = kernel.None,
  P extends Fields = kernel.None,
  RH extends Handles = kernel.None,
  R extends Fields = kernel.None,
>(command: keyof typeof TPM_CC, written: Written<H, P, RH, R>): Declaration<H, P, RH, R> {
  const { sessions = true, nv = false, extensive = false, flushed = false } = written;
  const common = kernel.declare(`TPM2_${command}`, TPM_CC[command], written);
  return {
    ...common,
    ...{ sessions, nv, extensive, flushed },
    decrypt: sessions && beginsSized(common.parameters),
    encrypt: sessions && beginsSized(common.response),
  };
}

/** What a result is about, by number and, where it has one, by name: "parameter 2, inPublic". */
export function placeOf({ lists }: AnyDeclaration, { of, number }: Position): string {
  const list = of === "handle" ? lists.handles : of === "parameter" ? lists.parameters : [];
  const name = list[number - 1]?.name;
  return `${of} ${number}${name === undefined ? "" : `, ${name}`}`;
}

/** Only a first parameter behind its size in two bytes can be encrypted (Part 1, 21.1). */
function beginsSized(fields: Fields): boolean {
  const first = Object.values(fields)[0];
  return first !== undefined && !("union" in first) && isSized(first as AnyCodec);
}
