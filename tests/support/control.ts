// The control channel's commands for tests: numbers, payloads, and how long each answer is.
// Leaves the connection to client.ts and the expected results to the tests.

import { fields, Reader, sized32, u32, u64, u8 } from "./bytes.ts";

/** Command numbers. */
export const CMD = {
  GET_CAPABILITY: 0x01,
  INIT: 0x02,
  SHUTDOWN: 0x03,
  GET_TPMESTABLISHED: 0x04,
  SET_LOCALITY: 0x05,
  HASH_START: 0x06,
  HASH_DATA: 0x07,
  HASH_END: 0x08,
  CANCEL_TPM_CMD: 0x09,
  STORE_VOLATILE: 0x0a,
  RESET_TPMESTABLISHED: 0x0b,
  GET_STATEBLOB: 0x0c,
  SET_STATEBLOB: 0x0d,
  STOP: 0x0e,
  GET_CONFIG: 0x0f,
  SET_DATAFD: 0x10,
  SET_BUFFERSIZE: 0x11,
  GET_INFO: 0x12,
  LOCK_STORAGE: 0x13,
} as const;

/** Name of a command. */
export type ControlName = keyof typeof CMD;

/** Results an answer can begin with. */
export const RESULT = {
  SUCCESS: 0,
  BAD_PARAMETER: 3,
  FAIL: 9,
  BAD_ORDINAL: 10,
  IOERROR: 0x1f,
  BAD_LOCALITY: 0x3d,
  RETRY: 0x800,
} as const;

/** Types of state blob. */
export const BLOB = { PERMANENT: 1, VOLATILE: 2, SAVESTATE: 3 } as const;

/** Flag of INIT: delete the stored volatile state after a successful start. */
export const INIT_DELETE_VOLATILE = 1;

/** A request: the command's number, then its payload. */
export function controlMessage(number: number, payload: Uint8Array = new Uint8Array(0)) {
  return fields(u32(number), payload);
}

/** Payloads of the commands that have one. */
export const payload = {
  init: (flags = 0) => u32(flags),
  setLocality: (locality: number) => u8(locality),
  hashData: (data: Uint8Array) => sized32(data),
  resetEstablished: (locality: number) => u8(locality),
  getStateBlob: (type: number, flags = 0, offset = 0) => fields(u32(flags), u32(type), u32(offset)),
  setStateBlob: (type: number, data: Uint8Array, flags = 0) =>
    fields(u32(flags), u32(type), sized32(data)),
  setBufferSize: (size: number) => u32(size),
  getInfo: (flags: number, offset = 0) => fields(u64(BigInt(flags)), u32(offset), u32(0)),
  lockStorage: (retries: number) => u32(retries),
};

/** Answers that are longer than the bare result when a command succeeds. */
const SUCCESS_LENGTH: Partial<Record<number, number>> = {
  [CMD.GET_CAPABILITY]: 8,
  [CMD.GET_TPMESTABLISHED]: 8,
  [CMD.GET_CONFIG]: 8,
  [CMD.SET_BUFFERSIZE]: 16,
  [CMD.GET_INFO]: 12,
  [CMD.GET_STATEBLOB]: 16,
};

/** Results that are answered alone, whatever the command. */
const BARE_RESULTS: ReadonlySet<number> = new Set([RESULT.BAD_PARAMETER, RESULT.BAD_ORDINAL]);

/**
 * Length of an answer of which `known` bytes (4 at least) are there. When it is more than these,
 * ask again with as many bytes as were named: a length inside the answer may add to it.
 */
export function controlAnswerLength(number: number, known: Uint8Array): number {
  const reader = new Reader(known);
  const result = reader.u32();
  const whole = SUCCESS_LENGTH[number];
  if (whole === undefined) return 4;
  if (result !== RESULT.SUCCESS) {
    // Only the state blob's own errors carry the whole header.
    return number === CMD.GET_STATEBLOB && !BARE_RESULTS.has(result) ? 16 : 4;
  }
  if (known.length < whole) return whole;
  switch (number) {
    case CMD.GET_INFO: // result, totlength, length, text
      reader.u32();
      return whole + reader.u32();
    case CMD.GET_STATEBLOB: // result, state_flags, totlength, length, blob
      reader.u32();
      reader.u32();
      return whole + reader.u32();
    default:
      return whole;
  }
}

/** A state blob as GET_STATEBLOB answers with it. */
export interface StateBlob {
  readonly result: number;
  readonly flags: number;
  readonly totalLength: number;
  readonly data: Uint8Array;
}

/** Takes the answer of GET_STATEBLOB apart. */
export function readStateBlob(answer: Uint8Array): StateBlob {
  const reader = new Reader(answer);
  const result = reader.u32();
  if (answer.length === 4) return { result, flags: 0, totalLength: 0, data: new Uint8Array(0) };
  return { result, flags: reader.u32(), totalLength: reader.u32(), data: reader.sized32() };
}
