// Commands as bytes, made of values by their declarations. Reading messages, and writing again what
// was read, is message.ts.

import { Writer } from "../kernel/writer.ts";
import type { AnyDeclaration, CommandValue } from "./command.ts";
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
