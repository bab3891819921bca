// A command and its response, read by the declarations of their version, in the one form in which
// the writers of text and JSON want them.

import { type AnyCodec, decode } from "../tcg/kernel/codec.ts";
import type { AnyDeclaration, NamedHandle } from "../tcg/kernel/declaration.ts";
import type { Message } from "../tcg/kernel/message.ts";
import type { Shown } from "../tcg/kernel/shown.ts";
import type { FieldCodec } from "../tcg/kernel/struct.ts";
import type { Position } from "../tcg/tpm2/results.ts";
import { WireError } from "../wire/codec.ts";
import { CC_SET_LOCALITY } from "../wire/codes.ts";
import { commandHeader } from "../wire/tpm.ts";
import { isTpm12, TPM12, TPM2, type Version } from "./versions.ts";

/** A handle by its name in the specification, and by its meaning. */
export interface ReadHandle {
  readonly name: string;
  readonly handle: number;
  readonly text: string;
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
  /** A handle by its meaning; `type` is that of the specification. */
  readonly handleText: (handle: number, type: string) => string;
}

const tagAt = commandHeader.reader("tag");

/** What the bytes say. Never fails: what cannot be read is kept, with what is wrong. */
export function readExchange(command: Uint8Array, response: Uint8Array | undefined): Reading {
  return command.length >= commandHeader.size && isTpm12(tagAt(command, 0))
    ? readAs(TPM12, command, response)
    : readAs(TPM2, command, response);
}

function readAs<D extends AnyDeclaration>(
  version: Version<D>,
  command: Uint8Array,
  response: Uint8Array | undefined,
): Reading {
  const asked = command.length < commandHeader.size ? undefined : version.readCommand(command);
  return {
    command: asked === undefined
      ? { ...noHeader(command), name: undefined, code: undefined }
      : commandOf(version, asked),
    response: response && responseOf(version, response, asked),
    handleText: version.handleText,
  };
}

function noHeader(bytes: Uint8Array): Half {
  return { handles: [], parameters: [], sessions: [], fault: undefined, rest: bytes };
}

function commandOf<D extends AnyDeclaration>(
  version: Version<D>,
  message: Message<D, unknown>,
): ReadCommand {
  const { command, code, sessions = [], fault, rest } = message;
  return {
    name: command?.name ?? (code === CC_SET_LOCALITY ? "SetLocality" : version.nameless(code)),
    code,
    handles: handlesOf(version, command?.lists.handles, message.handles),
    parameters: parametersOf(version, command?.lists.parameters, message, message),
    sessions: sessions.map(version.showCommandSession),
    fault,
    rest,
  };
}

function responseOf<D extends AnyDeclaration>(
  version: Version<D>,
  bytes: Uint8Array,
  asked: Message<D, unknown> | undefined,
): ReadResponse {
  if (bytes.length < commandHeader.size) return { ...noHeader(bytes), result: undefined };
  const command = asked?.command;
  const message = version.readResponse(bytes, command);
  const { code, sessions = [], fault, rest } = message;
  const { position, ...told } = version.resultOf(code);
  return {
    result: {
      ...told,
      code,
      position: position && { ...position, name: nameAt(position, command) },
    },
    handles: handlesOf(version, command?.lists.responseHandles, message.handles),
    parameters: parametersOf(version, command?.lists.response, message, asked),
    sessions: sessions.map(version.showResponseSession),
    fault,
    rest,
  };
}

function nameAt({ of, number }: Position, command: AnyDeclaration | undefined): string | undefined {
  if (of === "handle") return command?.lists.handles[number - 1]?.name;
  return of === "parameter" ? command?.lists.parameters[number - 1]?.name : undefined;
}

function handlesOf<D extends AnyDeclaration>(
  { handleText }: Version<D>,
  declared: readonly NamedHandle[] = [],
  handles: readonly number[],
): ReadHandle[] {
  return declared.slice(0, handles.length).map(({ name, codec }, index) => {
    const handle = handles[index]!;
    return { name, handle, text: handleText(handle, codec.type) };
  });
}

/** The parameters that were read, in their order, with what their bytes hold. */
function parametersOf<D extends AnyDeclaration>(
  { inside }: Version<D>,
  fields: readonly FieldCodec[] = [],
  { parameters, encrypted }: Message<D, unknown>,
  asked: Message<D, unknown> | undefined,
): ReadParameter[] {
  const read: ReadParameter[] = [];
  for (const field of fields) {
    const { name } = field;
    if (encrypted !== undefined && read.length === 0) read.push({ name, encrypted });
    else if (Object.hasOwn(parameters, name)) {
      const shown = field.show(parameters);
      const codec = asked && inside?.(asked, name);
      if (shown !== undefined) read.push({ name, shown: codec ? withInside(shown, codec) : shown });
    }
  }
  return read;
}

/** The same bytes with what is in them, if it is. */
function withInside(shown: Shown, codec: AnyCodec): Shown {
  if (shown.kind !== "bytes") return shown;
  try {
    return { ...shown, inside: codec.show(decode(codec, shown.value)) };
  } catch (error) {
    if (error instanceof WireError) return shown;
    throw error;
  }
}
