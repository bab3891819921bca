// Commands as bytes, made of values by their declarations. Reading messages, and writing again what
// was read, is message.ts.

import type { CommandValue } from "../kernel/declaration.ts";
import { handlesIn, parametersIn } from "../kernel/message.ts";
import { Writer } from "../kernel/writer.ts";
import type { AnyDeclaration } from "./command.ts";
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
