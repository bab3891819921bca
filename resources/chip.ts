// The few commands that the resource manager has a TPM do by itself. None of them takes sessions, so
// that none ends the exclusiveness of an audit session, but for the questions, which are asked once
// after each start.
import { struct, u32, u8 } from "../wire/codec.ts";
import { Tpm2, TpmRc } from "../wire/codes.ts";
import { commandHeader, responseHeader } from "../wire/tpm.ts";
import type { Context } from "./context.ts";
import { Shelf } from "./shelf.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Has a TPM do a command of ours; the response is valid until the next one. */
export type Ask = (command: Bytes, size: number) => Bytes;

/** How often objects and sessions went to and fro. */
export interface Swaps {
  saved: number;
  loaded: number;
  flushed: number;
}

const handleCommand = struct("command of a handle", { ...commandHeader.fields, handle: u32 });
const handleResponse = struct("response with a handle", { ...responseHeader.fields, handle: u32 });
/** TPM2_GetCapability (TPM 2.0 Library Part 3, 30.2), and its response before what it lists. */
export const getCapability = struct("TPM2_GetCapability", {
  ...commandHeader.fields,
  capability: u32,
  property: u32,
  propertyCount: u32,
});
export const capabilityHead = struct("TPM2_GetCapability response", {
  ...responseHeader.fields,
  moreData: u8,
  capability: u32,
  count: u32,
});
/** TPMS_TAGGED_PROPERTY */
export const taggedProperty = struct("property", { property: u32, value: u32 });

const resultAt = responseHeader.reader("code");
const returnedAt = handleResponse.reader("handle");

/** The largest context is below this; libtpms' commands are no larger. */
const BUFFER_SIZE = 4096;
/** So many as the TPM has in one answer. */
const ALL = 254;
const FIRST_COMMAND = 0x11f;
/** The high byte of an object's handle. */
const TRANSIENT = 0x80;

/** The code of a response; one without a header has failed. */
export function resultOf(response: Uint8Array): number {
  return response.length < responseHeader.size ? TpmRc.FAILURE : resultAt(response, 0);
}

/** Whether {@linkcode Chip.load} gave a handle: no code is as large. */
export function isHandle(handleOrCode: number): boolean {
  return handleOrCode >= 0x0100_0000;
}

export class Chip {
  readonly objects: Swaps = { saved: 0, loaded: 0, flushed: 0 };
  readonly sessions: Swaps = { saved: 0, loaded: 0, flushed: 0 };
  /** Where contexts are. */
  readonly shelf = new Shelf();
  /** One for all commands: C has to be told where it is. */
  readonly #command = new Uint8Array(BUFFER_SIZE);

  constructor(private readonly ask: Ask) {}

  /**
   * TPM2_ContextSave: the context, which is the caller's and comes from the shelf, or the code of its
   * refusal. A session is not loaded after that.
   */
  save(handle: number): Context | number {
    const response = this.#askOf(Tpm2.CC_ContextSave, handle);
    const code = resultOf(response);
    if (code !== TpmRc.SUCCESS) return code;
    this.#swapsOf(handle).saved++;
    return this.shelf.keep(response.subarray(responseHeader.size));
  }

  /** TPM2_ContextLoad: the handle, or the code of its refusal; see {@linkcode isHandle}. */
  load(context: Context): number {
    const size = loadCommand(this.#command, context);
    const response = this.ask(this.#command, size);
    const code = resultOf(response);
    if (code !== TpmRc.SUCCESS) return code;
    const handle = returnedAt(response, 0);
    this.#swapsOf(handle).loaded++;
    return handle;
  }

  /** TPM2_FlushContext. That it was gone already is what was wanted. */
  flush(handle: number): void {
    if (resultOf(this.#askOf(Tpm2.CC_FlushContext, handle)) === TpmRc.SUCCESS) {
      this.#swapsOf(handle).flushed++;
    }
  }

  /** The attributes of all commands, or undefined where the TPM does not tell. */
  commands(): number[] | undefined {
    return this.#list(
      Tpm2.CAP_COMMANDS,
      FIRST_COMMAND,
      u32.size,
      (bytes, at) => u32.read(bytes, at),
    );
  }

  /** The handles of the sessions that are saved. */
  savedSessions(): number[] | undefined {
    const first = Tpm2.SAVED_SESSION_FIRST;
    return this.#list(Tpm2.CAP_HANDLES, first, u32.size, (bytes, at) => u32.read(bytes, at));
  }

  /** A property of the TPM's. */
  property(wanted: number): number | undefined {
    const { size } = taggedProperty;
    return this.#list(
      Tpm2.CAP_TPM_PROPERTIES,
      wanted,
      size,
      (bytes, at) => taggedProperty.read(bytes, at),
    )?.find(({ property }) => property === wanted)?.value;
  }

  #list<T>(
    capability: number,
    property: number,
    size: number,
    read: (bytes: Uint8Array, at: number) => T,
  ): T[] | undefined {
    const response = this.ask(askFor(capability, property), getCapability.size);
    if (resultOf(response) !== TpmRc.SUCCESS || response.length < capabilityHead.size) {
      return undefined;
    }
    const { count } = capabilityHead.read(response, 0);
    if (response.length < capabilityHead.size + count * size) return undefined;
    return Array.from(
      { length: count },
      (_, at) => read(response, capabilityHead.size + at * size),
    );
  }

  #askOf(code: number, handle: number): Bytes {
    const { size } = handleCommand;
    handleCommand.write(this.#command, 0, { tag: Tpm2.ST_NO_SESSIONS, size, code, handle });
    return this.ask(this.#command, size);
  }

  #swapsOf(handle: number): Swaps {
    return handle >>> 24 === TRANSIENT ? this.objects : this.sessions;
  }
}

function askFor(capability: number, property: number): Bytes {
  return getCapability.encode({
    ...{ tag: Tpm2.ST_NO_SESSIONS, size: getCapability.size, code: Tpm2.CC_GetCapability },
    ...{ capability, property, propertyCount: ALL },
  });
}

/** Makes `command` a TPM2_ContextLoad of `context`; its size. */
export function loadCommand(command: Bytes, context: Context): number {
  const size = commandHeader.size + context.length;
  commandHeader.write(command, 0, { tag: Tpm2.ST_NO_SESSIONS, size, code: Tpm2.CC_ContextLoad });
  command.set(context, commandHeader.size);
  return size;
}

/** Puts another handle in the place of the `index`th, in a command or the one of a response. */
export function putHandle(message: Uint8Array, index: number, handle: number): void {
  u32.write(message, commandHeader.size + index * u32.size, handle);
}

/** The handle that a response begins with. */
export function returnedHandle(response: Uint8Array): number | undefined {
  return response.length < handleResponse.size ? undefined : returnedAt(response, 0);
}
