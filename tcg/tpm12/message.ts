// Whole messages: a command or a response from its first byte to its last. Reading never fails: what
// cannot be read is kept as it came, with what is wrong and where, so that every message that has a
// header is written again to the very same bytes.

import type { Codec } from "../kernel/codec.ts";
import type { NamedHandle } from "../kernel/declaration.ts";
import { HEADER_SIZE, type Message } from "../kernel/message.ts";
import { Progress, writeHandles, writeParameters } from "../kernel/progress.ts";
import { Reader } from "../kernel/reader.ts";
import type { FieldCodec } from "../kernel/struct.ts";
import { Writer } from "../kernel/writer.ts";
import type { AnyDeclaration } from "./command.ts";
import { commandByCode } from "./commands.ts";
import { TPM_MESSAGE_TAG } from "./constants.ts";
import { TPM_COMMAND_CODE } from "./ordinals.ts";
import { TPM_AUTH_COMMAND, TPM_AUTH_RESPONSE } from "./structures/sessions.ts";

const HANDLE_SIZE = 4;

export type CommandMessage = Message<AnyDeclaration, TPM_AUTH_COMMAND>;

export type ResponseMessage = Message<AnyDeclaration, TPM_AUTH_RESPONSE>;

/** How a message came. */
export interface ReadOptions {
  /** An encrypted transport session has wrapped it: its parameters cannot be read. */
  readonly encrypted?: boolean;
}

/** How many authorisations end a message, by its tag. */
const AUTHORIZATIONS_BY_TAG: ReadonlyMap<number, number> = new Map([
  [TPM_MESSAGE_TAG.RQU_COMMAND, 0],
  [TPM_MESSAGE_TAG.RQU_AUTH1_COMMAND, 1],
  [TPM_MESSAGE_TAG.RQU_AUTH2_COMMAND, 2],
  [TPM_MESSAGE_TAG.RSP_COMMAND, 0],
  [TPM_MESSAGE_TAG.RSP_AUTH1_COMMAND, 1],
  [TPM_MESSAGE_TAG.RSP_AUTH2_COMMAND, 2],
]);

/** What stands between the header and the end. */
interface Parts<S> {
  readonly handles: readonly NamedHandle[];
  readonly parameters: readonly FieldCodec[];
  readonly session: Codec<S>;
}

/** What `bytes` say. Throws {@linkcode WireError} when they are too few for a header. */
export function readCommand(bytes: Uint8Array, options: ReadOptions = {}): CommandMessage {
  const reader = new Reader(bytes);
  const tag = reader.field("tag", (reader) => reader.u16());
  const size = reader.field("paramSize", (reader) => reader.u32());
  const code = reader.field("ordinal", (reader) => reader.u32());
  const command = commandByCode(code);
  const body = new Body<TPM_AUTH_COMMAND>(bytes, tag, size);
  body.attempt(() => {
    if (command === undefined) {
      return reader.fail(`command ${TPM_COMMAND_CODE.nameOf(code) ?? hex(code)} is not known`, 6);
    }
    const { handles, parameters } = command.lists;
    const encrypted = (options.encrypted ?? false) && !command.beginsSession;
    body.read({ handles, parameters, session: TPM_AUTH_COMMAND }, encrypted);
  });
  return { tag, size, code, command, ...body.result() };
}

/**
 * What the response to a command says; `command` is undefined where it is not known. Throws
 * {@linkcode WireError} when the bytes are too few for a header.
 */
export function readResponse(
  bytes: Uint8Array,
  command: AnyDeclaration | undefined,
  options: ReadOptions = {},
): ResponseMessage {
  const reader = new Reader(bytes);
  const tag = reader.field("tag", (reader) => reader.u16());
  const size = reader.field("paramSize", (reader) => reader.u32());
  const code = reader.field("returnCode", (reader) => reader.u32());
  const body = new Body<TPM_AUTH_RESPONSE>(bytes, tag, size);
  body.attempt(() => {
    if (code !== 0) return body.finish(HEADER_SIZE);
    if (command === undefined) {
      return reader.fail("the command is not known, nor is its response");
    }
    const { responseHandles: handles, response: parameters } = command.lists;
    const encrypted = (options.encrypted ?? false) && !command.beginsSession;
    body.read({ handles, parameters, session: TPM_AUTH_RESPONSE }, encrypted);
  });
  return { tag, size, code, command, ...body.result() };
}

/** What follows a header, as far as it was read. */
class Body<S> extends Progress {
  #sessions: S[] | undefined;
  #encrypted: Uint8Array | undefined;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly tag: number,
    private readonly size: number,
  ) {
    super(HEADER_SIZE);
  }

  read(parts: Parts<S>, encrypted: boolean): void {
    const { bytes, tag, size } = this;
    const count = AUTHORIZATIONS_BY_TAG.get(tag);
    const reader = new Reader(bytes, HEADER_SIZE, Math.max(HEADER_SIZE, size));
    if (count === undefined) {
      return reader.fail(`0x${tag.toString(16)} is no tag of a message`, 0);
    }
    this.readHandles(reader, parts.handles);
    const sessionsAt = size - count * parts.session.sizeMin;
    if (sessionsAt < reader.offset) {
      reader.fail(`the tag announces ${count} authorisations, there are ${reader.left} bytes`);
    }
    const inside = new Reader(bytes, reader.offset, sessionsAt);
    if (encrypted) {
      this.#encrypted = inside.bytes(sessionsAt - inside.offset);
      this.done = inside.offset;
    } else {
      this.readParameters(inside, parts.parameters);
    }
    inside.finish();
    if (count > 0) this.#readSessions(new Reader(bytes, sessionsAt, size), parts.session, count);
    this.finish(this.done);
  }

  #readSessions(reader: Reader, session: Codec<S>, count: number): void {
    const sessions: S[] = [];
    for (let index = 0; index < count; index++) {
      sessions.push(reader.field(`sessions.${index}`, (reader) => session.decode(reader)));
    }
    this.#sessions = sessions;
    this.done = reader.offset;
  }

  /** All bytes must have been read, and as many as the header says. */
  finish(offset: number): void {
    const { bytes, size } = this;
    const reader = new Reader(bytes, offset);
    if (size !== bytes.length) {
      reader.fail(`the header says ${size} bytes, there are ${bytes.length}`, 2);
    }
    reader.finish();
  }

  result(): Omit<Message<never, S>, "tag" | "size" | "code" | "command"> {
    return {
      handles: this.handles,
      sessions: this.#sessions,
      parameters: this.parameters,
      encrypted: this.#encrypted,
      rest: this.bytes.slice(this.done),
      fault: this.fault,
    };
  }
}

/** The parameters of a command as they came, over which its HMACs are; it has no fault. */
export function commandParameterBytes(bytes: Uint8Array, command: CommandMessage): Uint8Array {
  return parameterBytes(bytes, command, TPM_AUTH_COMMAND.sizeMin);
}

/** The parameters of a response as they came, over which its HMACs are; it has no fault. */
export function responseParameterBytes(bytes: Uint8Array, response: ResponseMessage): Uint8Array {
  return parameterBytes(bytes, response, TPM_AUTH_RESPONSE.sizeMin);
}

function parameterBytes(
  bytes: Uint8Array,
  { handles, sessions = [] }: Message<unknown, unknown>,
  sessionSize: number,
): Uint8Array {
  const from = HEADER_SIZE + HANDLE_SIZE * handles.length;
  return bytes.subarray(from, bytes.length - sessions.length * sessionSize);
}

/** The bytes that {@linkcode readCommand} has read. */
export function writeCommand(message: CommandMessage): Uint8Array<ArrayBuffer> {
  const { handles, parameters } = message.command?.lists ?? NO_LISTS;
  return write(message, { handles, parameters, session: TPM_AUTH_COMMAND });
}

/** The bytes that {@linkcode readResponse} has read. */
export function writeResponse(message: ResponseMessage): Uint8Array<ArrayBuffer> {
  const { responseHandles: handles, response: parameters } = message.command?.lists ?? NO_LISTS;
  return write(message, { handles, parameters, session: TPM_AUTH_RESPONSE });
}

const NO_LISTS = { handles: [], parameters: [], responseHandles: [], response: [] };

function write<S>(
  message: Message<unknown, S>,
  parts: Parts<S>,
): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.u16(message.tag);
  writer.u32(message.size);
  writer.u32(message.code);
  writeHandles(writer, parts.handles, message.handles);
  if (message.encrypted === undefined) {
    writeParameters(writer, parts.parameters, message.parameters);
  } else writer.bytes(message.encrypted);
  for (const session of message.sessions ?? []) parts.session.encode(writer, session);
  writer.bytes(message.rest);
  return writer.finish();
}

function hex(code: number): string {
  return `0x${code.toString(16)}`;
}
