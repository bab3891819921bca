// Whole messages: a command or a response from its first byte to its last. Reading never fails: what
// cannot be read is kept as it came, with what is wrong and where, so that every message that has a
// header is written again to the very same bytes.

import type { Codec } from "../kernel/codec.ts";
import { HEADER_SIZE, type Message } from "../kernel/message.ts";
import { Progress, writeHandles, writeParameters } from "../kernel/progress.ts";
import { Reader } from "../kernel/reader.ts";
import type { ShownField } from "../kernel/shown.ts";
import { type FieldCodec, showFields } from "../kernel/struct.ts";
import { Writer } from "../kernel/writer.ts";
import { TPMA_SESSION } from "./attributes.ts";
import type { AnyDeclaration } from "./command.ts";
import { commandByCode } from "./commands.ts";
import { TPM_ST } from "./constants.ts";
import { TPMS_AUTH_COMMAND, TPMS_AUTH_RESPONSE } from "./structures/sessions.ts";
import { TPM2B_DATA } from "./structures/digests.ts";

export type CommandMessage = Message<AnyDeclaration, TPMS_AUTH_COMMAND>;

export interface ResponseMessage extends Message<AnyDeclaration, TPMS_AUTH_RESPONSE> {
  /** The size of the parameters as the response gives it, where it has sessions. */
  readonly parameterSize: number | undefined;
}

/** Where reading has got to, sessions included. */
class Reading<S> extends Progress {
  sessions: S[] | undefined;
  encrypted: Uint8Array | undefined;

  constructor() {
    super(HEADER_SIZE);
  }

  /** Reads parameters of which the first one may be encrypted. */
  readBody(reader: Reader, fields: readonly FieldCodec[], isEncrypted: boolean): void {
    const [first, ...others] = fields;
    if (!isEncrypted || first === undefined) return this.readParameters(reader, fields);
    this.encrypted = reader.field(first.name, (reader) => TPM2B_DATA.decode(reader));
    this.done = reader.offset;
    this.readParameters(reader, others);
  }
}

function readSessions<S>(reader: Reader, codec: Codec<S>): S[] {
  const sessions: S[] = [];
  while (reader.left > 0) {
    sessions.push(
      reader.field(`sessions.${sessions.length}`, (reader) => codec.decode(reader)),
    );
  }
  return sessions;
}

function says<S extends { readonly sessionAttributes: number }>(
  sessions: readonly S[] | undefined,
  attribute: "decrypt" | "encrypt",
): boolean {
  return sessions?.some((session) => TPMA_SESSION.get(session.sessionAttributes, attribute)) ??
    false;
}

/** What `bytes` say. Throws {@linkcode WireError} when they are too few for a header. */
export function readCommand(bytes: Uint8Array): CommandMessage {
  const reader = new Reader(bytes);
  const tag = reader.field("tag", (reader) => reader.u16());
  const size = reader.field("commandSize", (reader) => reader.u32());
  const code = reader.field("commandCode", (reader) => reader.u32());
  const command = commandByCode(code);
  const progress = new Reading<TPMS_AUTH_COMMAND>();
  progress.attempt(() => {
    if (command === undefined) return reader.fail(`command 0x${code.toString(16)} is not known`, 6);
    checkTag(reader, tag);
    progress.readHandles(reader, command.lists.handles);
    if (tag === TPM_ST.SESSIONS) {
      reader.enter("authorizationSize");
      const areaSize = reader.u32();
      progress.sessions = reader.within(
        areaSize,
        (reader) => readSessions(reader, TPMS_AUTH_COMMAND),
      );
      reader.leave();
      progress.done = reader.offset;
    }
    const isEncrypted = command.decrypt && says(progress.sessions, "decrypt");
    progress.readBody(reader, command.lists.parameters, isEncrypted);
    finish(reader, bytes, size);
  });
  return {
    tag,
    size,
    code,
    command,
    handles: progress.handles,
    sessions: progress.sessions,
    parameters: progress.parameters,
    encrypted: progress.encrypted,
    rest: bytes.slice(progress.done),
    fault: progress.fault,
  };
}

/**
 * What the response to a command says; `command` is undefined where it is not known. Throws
 * {@linkcode WireError} when the bytes are too few for a header.
 */
export function readResponse(
  bytes: Uint8Array,
  command: AnyDeclaration | undefined,
): ResponseMessage {
  const reader = new Reader(bytes);
  const tag = reader.field("tag", (reader) => reader.u16());
  const size = reader.field("responseSize", (reader) => reader.u32());
  const code = reader.field("responseCode", (reader) => reader.u32());
  const progress = new Reading<TPMS_AUTH_RESPONSE>();
  let parameterSize: number | undefined;
  progress.attempt(() => {
    if (code === 0) {
      if (command === undefined) {
        return reader.fail("the command is not known, nor is its response");
      }
      checkTag(reader, tag);
      progress.readHandles(reader, command.lists.responseHandles);
      let isEncrypted = false;
      if (tag === TPM_ST.SESSIONS) {
        const announced = reader.field("parameterSize", (reader) => reader.u32());
        if (announced > reader.left) {
          reader.fail(`${announced} bytes of parameters announced, ${reader.left} left`);
        }
        const sessionsAt = reader.offset + announced;
        const sessions = readSessions(new Reader(bytes, sessionsAt), TPMS_AUTH_RESPONSE);
        isEncrypted = command.encrypt && says(sessions, "encrypt");
        parameterSize = announced;
        progress.done = reader.offset;
        reader.within(announced, () => {
          progress.readBody(reader, command.lists.response, isEncrypted);
        });
        progress.sessions = sessions;
        progress.done = bytes.length;
        if (size !== bytes.length) finish(reader, bytes, size);
        return;
      }
      progress.readBody(reader, command.lists.response, isEncrypted);
    }
    finish(reader, bytes, size);
  });
  return {
    tag,
    size,
    code,
    command,
    handles: progress.handles,
    sessions: progress.sessions,
    parameterSize,
    parameters: progress.parameters,
    encrypted: progress.encrypted,
    rest: bytes.slice(progress.done),
    fault: progress.fault,
  };
}

function checkTag(reader: Reader, tag: number): void {
  if (tag !== TPM_ST.NO_SESSIONS && tag !== TPM_ST.SESSIONS) {
    reader.fail(`0x${tag.toString(16)} is no tag of a message`, 0);
  }
}

/** All bytes must have been read, and as many as the header says. */
function finish(reader: Reader, bytes: Uint8Array, size: number): void {
  if (size !== bytes.length) {
    reader.fail(`the header says ${size} bytes, there are ${bytes.length}`, 2);
  }
  reader.finish();
}

/** The bytes that {@linkcode readCommand} has read. */
export function writeCommand(message: CommandMessage): Uint8Array<ArrayBuffer> {
  const writer = beginMessage(message);
  writeHandles(writer, message.command?.lists.handles ?? [], message.handles);
  if (message.sessions !== undefined) {
    const { sessions } = message;
    writer.sized32(() => writeSessions(writer, TPMS_AUTH_COMMAND, sessions));
  }
  writeBody(writer, message.command?.lists.parameters ?? [], message);
  writer.bytes(message.rest);
  return writer.finish();
}

/** The parameters of a response without a fault, as they came: they are what is hashed. */
export function parameterBytesOf(response: ResponseMessage, bytes: Uint8Array): Uint8Array {
  const { handles, parameterSize } = response;
  const handlesEnd = HEADER_SIZE + 4 * handles.length;
  if (parameterSize === undefined) return bytes.subarray(handlesEnd);
  return bytes.subarray(handlesEnd + 4, handlesEnd + 4 + parameterSize);
}

/** The bytes that {@linkcode readResponse} has read. */
export function writeResponse(message: ResponseMessage): Uint8Array<ArrayBuffer> {
  const writer = beginMessage(message);
  writeHandles(writer, message.command?.lists.responseHandles ?? [], message.handles);
  if (message.parameterSize !== undefined) writer.u32(message.parameterSize);
  writeBody(writer, message.command?.lists.response ?? [], message);
  if (message.sessions !== undefined) {
    writeSessions(writer, TPMS_AUTH_RESPONSE, message.sessions);
  }
  writer.bytes(message.rest);
  return writer.finish();
}

function beginMessage(header: { tag: number; size: number; code: number }): Writer {
  const writer = new Writer();
  writer.u16(header.tag);
  writer.u32(header.size);
  writer.u32(header.code);
  return writer;
}

function writeSessions<S>(writer: Writer, codec: Codec<S>, sessions: readonly S[]): void {
  for (const session of sessions) codec.encode(writer, session);
}

function writeBody(
  writer: Writer,
  fields: readonly FieldCodec[],
  { parameters, encrypted }: Message<unknown, unknown>,
): void {
  const [first, ...others] = fields;
  if (encrypted === undefined || first === undefined) {
    return writeParameters(writer, fields, parameters);
  }
  TPM2B_DATA.encode(writer, encrypted);
  writeParameters(writer, others, parameters);
}

/** The parameters that were read, in words; `fields` are those of the command or the response. */
export function showParameters(
  fields: readonly FieldCodec[],
  parameters: Readonly<Record<string, unknown>>,
): ShownField[] {
  return showFields(fields.filter(({ name }) => Object.hasOwn(parameters, name)), parameters);
}
