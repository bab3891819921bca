// The functions that libtpms calls: its state store and its question for the locality, as values of
// `struct libtpms_callbacks`. The one place where an error becomes a TPM result for libtpms.
import { TpmResult } from "../wire/codes.ts";
import { openLibc } from "./libc.ts";

/** A failure with the TPM result that libtpms, or a control client, gets for it. */
export class TpmResultError extends Error {
  override name = "TpmResultError";
  constructor(readonly result: number, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** The result that stands for an error. */
export function resultOf(error: unknown): number {
  return error instanceof TpmResultError ? error.result : TpmResult.FAIL;
}

/** Where libtpms keeps its state; names are `permall`, `volatilestate`, `savestate`. */
export interface NvStore {
  /** Called before the first access, at each start of the TPM. */
  prepare(): void;
  /** The state of that name, or undefined where there is none. */
  load(name: string): Uint8Array | undefined;
  /** Keeps the state; when it returns, the state outlives the process. `bytes` live until then. */
  store(name: string, bytes: Uint8Array<ArrayBuffer>): void;
  /** Removes the state; it is an error when there is none and `mustExist`. */
  remove(name: string, mustExist: boolean): void;
}

const memorySymbols = {
  /** Memory that libtpms may free() itself. */
  malloc: { parameters: ["usize"], result: "pointer" },
  /** void *memcpy(void *to, const void *from, size_t) */
  memcpy: { parameters: ["buffer", "pointer", "u32"], result: "void" },
} as const;

/**
 * `struct libtpms_callbacks` (libtpms/tpm_library.h) on a 64-bit machine: its own size as an int,
 * then seven function pointers, NULL where the default will do.
 */
const STRUCT_SIZE = 64;
const POINTER_SIZE = 8;

// C signatures, `TPM_RESULT f(…)` each:
const initSignature = { parameters: [], result: "u32" } as const;
/** (unsigned char **data, uint32_t *length, uint32_t tpm_number, const char *name) */
const loadSignature = {
  parameters: ["pointer", "pointer", "u32", "pointer"],
  result: "u32",
} as const;
/** (const unsigned char *data, uint32_t length, uint32_t tpm_number, const char *name) */
const storeSignature = { parameters: ["pointer", "u32", "u32", "pointer"], result: "u32" } as const;
/** (uint32_t tpm_number, const char *name, TPM_BOOL mustExist) */
const removeSignature = { parameters: ["u32", "pointer", "u8"], result: "u32" } as const;
/** (TPM_MODIFIER_INDICATOR *locality, uint32_t tpm_number) */
const localitySignature = { parameters: ["pointer", "u32"], result: "u32" } as const;
/** (TPM_BOOL *physicalPresence, uint32_t tpm_number), a byte */
const presenceSignature = localitySignature;

/**
 * The callbacks; they must live as long as libtpms may call. TPMLIB_RegisterCallbacks copies the
 * struct, at any time between two calls of libtpms.
 */
export class Callbacks {
  /**
   * The structs by whether libtpms is to ask for the locality, and for physical presence. Without
   * asking it takes locality 0 and nobody's presence: asking costs a command 0.8 us.
   */
  readonly #tables: readonly Uint8Array<ArrayBuffer>[];

  /** `locality`: that of the command that is being processed. */
  constructor(nvram: NvStore, locality: () => number) {
    const c = openLibc(memorySymbols);
    const nvramInit = new Deno.UnsafeCallback(
      initSignature,
      () => resultOfRunning(() => nvram.prepare()),
    );
    const load = new Deno.UnsafeCallback(loadSignature, (dataOut, lengthOut, _number, namePtr) => {
      writePointer(dataOut, null);
      writeU32(lengthOut, 0);
      let missing = false;
      const result = resultOfRunning(() => {
        const bytes = nvram.load(text(namePtr));
        if (bytes === undefined) {
          missing = true;
          return;
        }
        // malloc(0) may be NULL, which libtpms would take for "nothing loaded".
        const memory = c.malloc(BigInt(Math.max(bytes.length, 1)));
        if (memory === null) throw new TpmResultError(TpmResult.SIZE, "out of memory");
        if (bytes.length > 0) memoryAt(memory, bytes.length).set(bytes);
        writePointer(dataOut, memory);
        writeU32(lengthOut, bytes.length);
      });
      return missing ? TpmResult.RETRY : result;
    });
    // Reused: making a view of C's memory for each store takes longer than copying it.
    let copy = new Uint8Array();
    const store = new Deno.UnsafeCallback(storeSignature, (data, length, _number, namePtr) => {
      return resultOfRunning(() => {
        if (copy.length < length) copy = new Uint8Array(length);
        if (data !== null) c.memcpy(copy, data, length);
        nvram.store(text(namePtr), copy.subarray(0, data === null ? 0 : length));
      });
    });
    const remove = new Deno.UnsafeCallback(removeSignature, (_number, namePtr, mustExist) => {
      return resultOfRunning(() => nvram.remove(text(namePtr), mustExist !== 0));
    });
    const getLocality = new Deno.UnsafeCallback(localitySignature, (out) => {
      writeU32(out, locality());
      return TpmResult.SUCCESS;
    });

    const somebodyIsThere = new Deno.UnsafeCallback(presenceSignature, (out) => {
      if (out !== null) memoryAt(out, 1)[0] = 1;
      return TpmResult.SUCCESS;
    });

    // In the order of the C struct; io_init keeps libtpms' default.
    const nvramTable = [nvramInit, load, store, remove, null];
    this.#tables = [[null, null], [getLocality, null], [null, somebodyIsThere], [
      getLocality,
      somebodyIsThere,
    ]].map((asked) => callbackStruct([...nvramTable, ...asked]));
  }

  table(locality: boolean, presence: boolean): Uint8Array<ArrayBuffer> {
    return this.#tables[(locality ? 1 : 0) + (presence ? 2 : 0)]!;
  }
}

function callbackStruct(
  table: readonly ({ pointer: Deno.PointerObject } | null)[],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(STRUCT_SIZE);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, STRUCT_SIZE, true);
  table.forEach((callback, index) => {
    const address = callback === null ? 0n : Deno.UnsafePointer.value(callback.pointer);
    view.setBigUint64((index + 1) * POINTER_SIZE, address, true);
  });
  return bytes;
}

/** Runs a callback's work; what it throws becomes the result that libtpms gets. */
function resultOfRunning(action: () => void): number {
  try {
    action();
    return TpmResult.SUCCESS;
  } catch (error) {
    return resultOf(error);
  }
}

function text(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/** The memory itself, not a copy: valid only as long as its owner says. */
export function memoryAt(pointer: Deno.PointerObject, size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, size));
}

function writeU32(pointer: Deno.PointerValue, value: number): void {
  if (pointer === null) return;
  new DataView(Deno.UnsafePointerView.getArrayBuffer(pointer, 4)).setUint32(0, value, true);
}

function writePointer(pointer: Deno.PointerValue, value: Deno.PointerValue): void {
  if (pointer === null) return;
  const view = new DataView(Deno.UnsafePointerView.getArrayBuffer(pointer, POINTER_SIZE));
  view.setBigUint64(0, Deno.UnsafePointer.value(value), true);
}
