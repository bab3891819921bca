// Commands as bytes, made of values by their declarations. Reading messages, and writing again what
// was read, is message.ts.

import { Writer } from "../kernel/writer.ts";
import type { AnyDeclaration, CommandValue } from "./command.ts";
import { TPM_RH, TPM_ST } from "./constants.ts";
import { TPMS_AUTH_COMMAND } from "./structures/sessions.ts";

const SIZE_AT = 2;

/** An authorisation by password, the empty one where none is given. */
export function passwordSession(password: Uint8Array = new Uint8Array(0)): TPMS_AUTH_COMMAND {
  return {
    sessionHandle: TPM_RH.PW,
    nonce: new Uint8Array(0),
    sessionAttributes: 0,
    hmac: password,
  };
}

/** A command as bytes; what needs an authorisation gets an empty password unless told otherwise. */
export function commandBytes<D extends AnyDeclaration>(
  command: D,
  value: CommandValue<D>,
  sessions: readonly TPMS_AUTH_COMMAND[] = emptyPasswords(command),
): Uint8Array<ArrayBuffer> {
  const handles = handlesIn(command, value);
  return assembleCommand(command, handles, sessions, parametersIn(command, value));
}

function emptyPasswords(command: AnyDeclaration): TPMS_AUTH_COMMAND[] {
  return command.lists.handles
    .filter(({ codec }) => codec.role !== undefined)
    .map(() => passwordSession());
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

/** A command of its parts. */
export function assembleCommand(
  command: AnyDeclaration,
  handles: readonly number[],
  sessions: readonly TPMS_AUTH_COMMAND[],
  parameters: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.u16(sessions.length > 0 ? TPM_ST.SESSIONS : TPM_ST.NO_SESSIONS);
  writer.u32(0); // the size, when it is known
  writer.u32(command.code);
  for (const handle of handles) writer.u32(handle);
  if (sessions.length > 0) {
    writer.sized32(() => {
      for (const session of sessions) TPMS_AUTH_COMMAND.encode(writer, session);
    });
  }
  writer.bytes(parameters);
  const bytes = writer.finish();
  new DataView(bytes.buffer).setUint32(SIZE_AT, bytes.length);
  return bytes;
}
