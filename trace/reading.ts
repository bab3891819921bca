// A command and its response, read by the declarations of their version, in the one form in which
// the writers of text and JSON want them.

import type { Shown } from "../tcg/kernel/shown.ts";
import { type FieldCodec, showFields } from "../tcg/kernel/struct.ts";
import type { AnyDeclaration, NamedHandle } from "../tcg/tpm2/command.ts";
import {
  type CommandMessage,
  HEADER_SIZE,
  readCommand,
  readResponse,
  type ResponseMessage,
} from "../tcg/tpm2/message.ts";
import { type Position, resultOf } from "../tcg/tpm2/results.ts";
import { TPMS_AUTH_COMMAND, TPMS_AUTH_RESPONSE } from "../tcg/tpm2/structures/sessions.ts";
import type { WireError } from "../wire/codec.ts";
import { CC_SET_LOCALITY, Tpm12 } from "../wire/codes.ts";

/** A handle by its name in the specification. */
export interface ReadHandle {
  readonly name: string;
  readonly handle: number;
}

/** A parameter, or the bytes of one that is encrypted. */
export type ReadParameter =
  & { readonly name: string }
  & ({ readonly shown: Shown } | { readonly encrypted: Uint8Array });

/** What a command and a response have in common. */
export interface Half {
  readonly handles: readonly ReadHandle[];
  readonly parameters: readonly ReadParameter[];
  readonly sessions: readonly Shown[];
  /** What is wrong, and where; what was read until there may be something else than it seems. */
  readonly fault: WireError | undefined;
  /** Bytes that were not read. */
  readonly rest: Uint8Array;
}

export interface ReadCommand extends Half {
  /** "TPM2_GetRandom"; the code where it has no name, undefined where there is no header. */
  readonly name: string | undefined;
  readonly code: number | undefined;
}

/** What a response's code says. */
export interface ReadResult {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
  readonly warning: boolean;
  /** Which handle, session or parameter it is about, with the name that it has. */
  readonly position: (Position & { readonly name: string | undefined }) | undefined;
}

export interface ReadResponse extends Half {
  /** Undefined where there is no header. */
  readonly result: ReadResult | undefined;
}

export interface Reading {
  readonly command: ReadCommand;
  readonly response: ReadResponse | undefined;
}

/** What the bytes say. Never fails: what cannot be read is kept, with what is wrong. */
export function readExchange(command: Uint8Array, response: Uint8Array | undefined): Reading {
  const asked = command.length < HEADER_SIZE ? undefined : readCommand(command);
  const answered = response === undefined || response.length < HEADER_SIZE
    ? undefined
    : readResponse(response, asked?.command);
  return {
    command: asked === undefined ? { ...noHeader(command), ...NAMELESS } : commandOf(asked),
    response: response === undefined
      ? undefined
      : answered === undefined
      ? { ...noHeader(response), result: undefined }
      : responseOf(answered),
  };
}

const NAMELESS = { name: undefined, code: undefined } as const;

function noHeader(bytes: Uint8Array): Half {
  return { handles: [], parameters: [], sessions: [], fault: undefined, rest: bytes };
}

function commandOf(message: CommandMessage): ReadCommand {
  const { command, code, sessions = [] } = message;
  return {
    name: command?.name ?? nameless(message),
    code,
    handles: handlesOf(command?.lists.handles, message.handles),
    parameters: parametersOf(command?.lists.parameters, message),
    sessions: sessions.map(TPMS_AUTH_COMMAND.show),
    fault: message.fault,
    rest: message.rest,
  };
}

/** What a command is called that has no declaration. */
function nameless({ code, tag }: CommandMessage): string {
  if (code === CC_SET_LOCALITY) return "SetLocality";
  const digits = `0x${code.toString(16).padStart(8, "0")}`;
  const of12 = tag >= Tpm12.TAG_RQU_COMMAND && tag <= Tpm12.TAG_RQU_AUTH2_COMMAND;
  return of12 ? `TPM_ORD_${digits}` : `TPM_CC_${digits}`;
}

function responseOf(message: ResponseMessage): ReadResponse {
  const { command, sessions = [] } = message;
  return {
    result: resultIn(message.code, command),
    handles: handlesOf(command?.lists.responseHandles, message.handles),
    parameters: parametersOf(command?.lists.response, message),
    sessions: sessions.map(TPMS_AUTH_RESPONSE.show),
    fault: message.fault,
    rest: message.rest,
  };
}

function resultIn(code: number, command: AnyDeclaration | undefined): ReadResult {
  const { name, meaning, warning, position } = resultOf(code);
  return {
    code,
    name,
    meaning,
    warning,
    position: position && { ...position, name: nameAt(position, command) },
  };
}

function nameAt({ of, number }: Position, command: AnyDeclaration | undefined): string | undefined {
  if (of === "handle") return command?.lists.handles[number - 1]?.name;
  return of === "parameter" ? command?.lists.parameters[number - 1]?.name : undefined;
}

function handlesOf(
  names: readonly NamedHandle[] | undefined,
  handles: readonly number[],
): ReadHandle[] {
  return handles.map((handle, index) => ({ name: names?.[index]?.name ?? "handle", handle }));
}

/** The parameters that were read, in their order. */
function parametersOf(
  fields: readonly FieldCodec[] = [],
  { parameters, encrypted }: Pick<CommandMessage, "parameters" | "encrypted">,
): ReadParameter[] {
  const first = fields[0];
  const there = fields.filter(({ name }) => Object.hasOwn(parameters, name));
  const shown: ReadParameter[] = showFields(there, parameters);
  return encrypted === undefined || first === undefined
    ? shown
    : [{ name: first.name, encrypted }, ...shown];
}
