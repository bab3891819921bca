// The control protocol as one table (the C program's swtpm/tpm_ioctl.h): per command its number, when
// it is allowed, how long it may be, what it carries and what success looks like. Server, client and
// tests read this table; what the commands do stands in handlers.ts.
import { reserved, type Struct, struct, u32, u8, type Value } from "../wire/codec.ts";

/** When a command is allowed: the chip is on (`running`), off (`stopped`), or either. */
export type Gate = "always" | "running" | "stopped";

/**
 * What the command's payload must be, n being the number of bytes that came behind its number:
 * exactly the request's size, at least that, or unchecked.
 */
export type LengthRule = "exact" | "atLeast" | "any";

interface Command {
  code: number;
  gate: Gate;
  length: LengthRule;
  // deno-lint-ignore no-explicit-any
  request: Struct<any>;
  /**
   * Bytes behind the request, as many as its `length` says: `whole`, handed over when all are
   * there, or `stream`, handed over as they come.
   */
  body?: "whole" | "stream";
  /**
   * A payload that stays short is answered with BAD_PARAMETER; without this the connection is
   * closed, as the C program does after it waited in vain.
   */
  answerShort?: true;
  // deno-lint-ignore no-explicit-any
  response: Struct<any>;
  /** Whether it must wait for a TPM command that runs. */
  chip: boolean;
}

function commandTable<T extends Record<string, Command>>(table: T): T {
  return table;
}

/** Before every request. */
export const requestHeader = struct("control command", { code: u32 });

const none = struct("no payload", {});
/** The whole response of most commands, and of every command that fails. */
export const resultOnly = struct("control result", { result: u32 });
const locality = struct("locality", { locality: u8 });

export const commands = commandTable({
  GET_CAPABILITY: {
    code: 0x01,
    gate: "always",
    length: "any",
    request: none,
    response: struct("capabilities", { result: u32, capabilities: u32 }),
    chip: false,
  },
  INIT: {
    code: 0x02,
    gate: "always",
    length: "exact",
    request: struct("init", { flags: u32 }),
    response: resultOnly,
    chip: true,
  },
  SHUTDOWN: {
    code: 0x03,
    gate: "always",
    length: "exact",
    request: none,
    response: resultOnly,
    chip: true,
  },
  GET_TPMESTABLISHED: {
    code: 0x04,
    gate: "running",
    length: "exact",
    request: none,
    response: struct("established bit", { result: u32, bit: u8, pad: reserved(3) }),
    chip: true,
  },
  SET_LOCALITY: {
    code: 0x05,
    gate: "always",
    length: "atLeast",
    request: locality,
    response: resultOnly,
    chip: true,
  },
  HASH_START: {
    code: 0x06,
    gate: "running",
    length: "exact",
    request: none,
    response: resultOnly,
    chip: true,
  },
  HASH_DATA: {
    code: 0x07,
    gate: "running",
    length: "atLeast",
    request: struct("hash data", { length: u32 }),
    body: "stream",
    response: resultOnly,
    chip: true,
  },
  HASH_END: {
    code: 0x08,
    gate: "running",
    length: "exact",
    request: none,
    response: resultOnly,
    chip: true,
  },
  CANCEL_TPM_CMD: {
    code: 0x09,
    gate: "running",
    length: "exact",
    request: none,
    response: resultOnly,
    chip: false,
  },
  STORE_VOLATILE: {
    code: 0x0a,
    gate: "running",
    length: "exact",
    request: none,
    response: resultOnly,
    chip: true,
  },
  RESET_TPMESTABLISHED: {
    code: 0x0b,
    gate: "running",
    length: "atLeast",
    request: locality,
    response: resultOnly,
    chip: true,
  },
  GET_STATEBLOB: {
    code: 0x0c,
    gate: "running",
    length: "atLeast",
    request: struct("get state blob", { flags: u32, type: u32, offset: u32 }),
    response: struct("state blob", { result: u32, flags: u32, totalLength: u32, length: u32 }),
    chip: true,
  },
  SET_STATEBLOB: {
    code: 0x0d,
    gate: "stopped",
    length: "atLeast",
    request: struct("set state blob", { flags: u32, type: u32, length: u32 }),
    body: "whole",
    response: resultOnly,
    chip: true,
  },
  STOP: {
    code: 0x0e,
    gate: "always",
    length: "exact",
    request: none,
    response: resultOnly,
    chip: true,
  },
  GET_CONFIG: {
    code: 0x0f,
    gate: "always",
    length: "exact",
    request: none,
    response: struct("configuration", { result: u32, flags: u32 }),
    chip: false,
  },
  SET_DATAFD: {
    code: 0x10,
    gate: "always",
    length: "any",
    request: none,
    response: resultOnly,
    chip: false,
  },
  SET_BUFFERSIZE: {
    code: 0x11,
    gate: "always",
    length: "atLeast",
    request: struct("set buffer size", { size: u32 }),
    answerShort: true,
    response: struct("buffer size", { result: u32, size: u32, min: u32, max: u32 }),
    chip: true,
  },
  GET_INFO: {
    code: 0x12,
    gate: "always",
    length: "atLeast",
    // The flags are a u64 of which only the lower word has a meaning.
    request: struct("get info", { high: u32, flags: u32, offset: u32, pad: reserved(4) }),
    answerShort: true,
    response: struct("info", { result: u32, totalLength: u32, length: u32 }),
    chip: true,
  },
  LOCK_STORAGE: {
    code: 0x13,
    gate: "always",
    length: "atLeast",
    request: struct("lock storage", { retries: u32 }),
    answerShort: true,
    response: resultOnly,
    chip: false,
  },
});

export type CommandName = keyof typeof commands;
export type Request<N extends CommandName> = Value<(typeof commands)[N]["request"]>;
export type Response<N extends CommandName> = Value<(typeof commands)[N]["response"]>;

/** By its number; undefined for one that does not exist. */
const byCode = new Map<number, CommandName>(
  Object.entries(commands).map(([name, command]) => [command.code, name as CommandName]),
);

export function commandOf(code: number): CommandName | undefined {
  return byCode.get(code);
}

/** Bits of GET_CAPABILITY, as far as a socket has them; in the order of the specification. */
export const Capability = {
  INIT: 1 << 0,
  SHUTDOWN: 1 << 1,
  GET_TPMESTABLISHED: 1 << 2,
  SET_LOCALITY: 1 << 3,
  HASHING: 1 << 4,
  CANCEL_TPM_CMD: 1 << 5,
  STORE_VOLATILE: 1 << 6,
  RESET_TPMESTABLISHED: 1 << 7,
  GET_STATEBLOB: 1 << 8,
  SET_STATEBLOB: 1 << 9,
  STOP: 1 << 10,
  GET_CONFIG: 1 << 11,
  SET_DATAFD: 1 << 12,
  SET_BUFFERSIZE: 1 << 13,
  GET_INFO: 1 << 14,
  SEND_COMMAND_HEADER: 1 << 15,
  LOCK_STORAGE: 1 << 16,
} as const;

export const InitFlag = { DELETE_VOLATILE: 1 } as const;
export const StateFlag = { DECRYPTED: 1, ENCRYPTED: 2 } as const;
export const ConfigFlag = { FILE_KEY: 1, MIGRATION_KEY: 2 } as const;

/** State types of GET_STATEBLOB and SET_STATEBLOB. */
export const BlobType = { PERMANENT: 1, VOLATILE: 2, SAVESTATE: 3 } as const;

/** Largest blob that SET_STATEBLOB takes. */
export const BLOB_MAX = 512 * 1024;

/** Bytes of the text that one GET_INFO answer carries at most. */
export const INFO_CHUNK = 3072;
