// Commands as bytes, made of values by their declarations. Reading messages, and writing again what
// was read, is message.ts.

import type { CommandValue } from "../kernel/declaration.ts";
import { handlesIn, parametersIn } from "../kernel/message.ts";
import { Writer } from "../kernel/writer.ts";
import type { AnyDeclaration } from "./command.ts";
import { TPM_MESSAGE_TAG } from "./constants.ts";
import { TPM_AUTH_COMMAND } from "./structures/sessions.ts";

const SIZE_AT = 2;

/** A command as bytes, without authorisations unless some are given. */
export function commandBytes<D extends AnyDeclaration>(
  command: D,
  value: CommandValue<D>,
  sessions: readonly TPM_AUTH_COMMAND[] = [],
): Uint8Array<ArrayBuffer> {
  const handles = handlesIn(command, value);
  return assembleCommand(command, handles, parametersIn(command, value), sessions);
}

/** A command of its parts. */
export function assembleCommand(
  command: AnyDeclaration,
  handles: readonly number[],
  parameters: Uint8Array,
  sessions: readonly TPM_AUTH_COMMAND[],
): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.u16(TPM_MESSAGE_TAG.RQU_COMMAND + sessions.length);
  writer.u32(0); // the size, when it is known
  writer.u32(command.code);
  for (const handle of handles) writer.u32(handle);
  writer.bytes(parameters);
  for (const session of sessions) TPM_AUTH_COMMAND.encode(writer, session);
  const bytes = writer.finish();
  new DataView(bytes.buffer).setUint32(SIZE_AT, bytes.length);
  return bytes;
}
