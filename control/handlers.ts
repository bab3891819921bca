// What each control command does. A handler gets a request that is complete and allowed, and
// returns what to answer and what should happen then; it never touches a socket.
import { resultOf } from "../ffi/callbacks.ts";
import type { StateName } from "../state/backend.ts";
import type { StorageLock } from "../state/storage_lock.ts";
import type { StateStore } from "../state/store.ts";
import type { Tpm } from "../tpm/tpm.ts";
import type { Channel } from "../transports/channel.ts";
import { LOCALITY_MAX, TpmResult } from "../wire/codes.ts";
import type { Effect } from "./effects.ts";
import {
  BLOB_MAX,
  BlobType,
  Capability,
  type CommandName,
  ConfigFlag,
  INFO_CHUNK,
  InitFlag,
  type Request,
  type Response,
  StateFlag,
} from "./protocol.ts";
import { StateExport } from "./state_export.ts";

/** What a handler decided: a response of its command, or a failure, which is a result alone. */
export type Outcome<N extends CommandName> =
  & { effects?: Effect[] }
  & ({ response: Response<N>; data?: Uint8Array<ArrayBuffer> } | { failure: number });

/** What came beside a request. */
export interface Extras {
  /** The body: all of it, or the piece that is there, depending on the command. */
  body: Uint8Array<ArrayBuffer>;
  /** A descriptor that was passed; it belongs to the handler that returns it in an effect. */
  fd: number | undefined;
}

export type Handlers = {
  [N in CommandName]: (
    request: Request<N>,
    extras: Extras,
  ) => Outcome<N> | Promise<Outcome<N>>;
};

export interface HandlerParts {
  tpm: Tpm;
  store: StateStore;
  lock: StorageLock;
  /** Where SET_DATAFD is offered. */
  dataPlace?: {
    /** Whether there is a data connection that must not be replaced. */
    taken: () => boolean;
    /** Makes one of a descriptor that was passed. Throws where that is none. */
    channelOf: (fd: number) => Channel;
  } | undefined;
  /** Takes away what others see of the process: who has SHUTDOWN's answer may start another one. */
  leave: () => void;
  report: (message: string) => void;
}

const success = { response: { result: TpmResult.SUCCESS } };

/** What a socket's control channel can do; TPM 1.2 knows no send-command prefix. */
function capabilities(tpm: Tpm): number {
  const all = Object.values(Capability).reduce((sum, bit) => sum | bit, 0);
  return tpm.family.prefixed ? all : all & ~Capability.SEND_COMMAND_HEADER;
}

function blobName(type: number): StateName | undefined {
  switch (type) {
    case BlobType.PERMANENT:
      return "permall";
    case BlobType.VOLATILE:
      return "volatilestate";
    case BlobType.SAVESTATE:
      return "savestate";
    default:
      return undefined;
  }
}

/** An outcome that is nothing but a TPM result. */
function plain(result: number): { response: { result: number } } {
  return { response: { result } };
}

export function makeHandlers(parts: HandlerParts): Handlers {
  const states = new StateExport(parts);
  const { tpm, store, lock, leave, report } = parts;
  return {
    GET_CAPABILITY: () => ({
      response: { result: TpmResult.SUCCESS, capabilities: capabilities(tpm) },
    }),

    INIT: ({ flags }) => plain(tpm.start((flags & InitFlag.DELETE_VOLATILE) !== 0)),

    SHUTDOWN: () => {
      tpm.stop();
      leave();
      return { ...success, effects: [{ kind: "terminate" }] };
    },

    STOP: () => {
      tpm.stop();
      return success;
    },

    GET_TPMESTABLISHED: () => {
      try {
        return { response: { result: TpmResult.SUCCESS, bit: tpm.established() ? 1 : 0 } };
      } catch (error) {
        return { response: { result: resultOf(error), bit: 0 } };
      }
    },

    RESET_TPMESTABLISHED: ({ locality }) =>
      plain(locality > LOCALITY_MAX ? TpmResult.BAD_LOCALITY : tpm.resetEstablished(locality)),

    SET_LOCALITY: ({ locality }) =>
      plain(tpm.setLocality(locality) ? TpmResult.SUCCESS : TpmResult.BAD_LOCALITY),

    HASH_START: () => plain(tpm.hashStart()),
    HASH_DATA: (_request, { body }) => plain(tpm.hashData(body)),
    HASH_END: () => plain(tpm.hashEnd()),

    CANCEL_TPM_CMD: () => plain(tpm.cancel()),

    STORE_VOLATILE: () => {
      try {
        tpm.storeVolatile();
        return success;
      } catch (error) {
        report(`Could not store the volatile state: ${(error as Error).message}`);
        return plain(resultOf(error));
      }
    },

    GET_STATEBLOB: ({ flags, type, offset }) => {
      // The last state on its way. Not an effect: whoever has the answer may take the storage over.
      if (type === BlobType.SAVESTATE) lock.release();
      // QEMU waits for the whole header even of a failure.
      const failed = (result: number): Outcome<"GET_STATEBLOB"> => ({
        response: { result, flags: 0, totalLength: 0, length: 0 },
      });
      const name = blobName(type);
      if (name === undefined) return failed(TpmResult.FAIL);
      try {
        const blob = states.blob(name, (flags & StateFlag.DECRYPTED) !== 0);
        if (blob === undefined) return failed(TpmResult.RETRY);
        const data = blob.bytes.subarray(Math.min(offset, blob.bytes.length));
        const response = {
          result: TpmResult.SUCCESS,
          flags: blob.encrypted ? StateFlag.ENCRYPTED : 0,
          totalLength: data.length,
          length: data.length,
        };
        return { response, data };
      } catch (error) {
        report(`Could not get the state blob '${name}': ${(error as Error).message}`);
        return failed(resultOf(error));
      }
    },

    SET_STATEBLOB: async ({ flags, type, length }, { body }) => {
      try {
        await lock.beforeReceiving();
      } catch (error) {
        report((error as Error).message);
        return { failure: TpmResult.IOERROR, effects: [{ kind: "terminate" }] };
      }
      if (length > BLOB_MAX) return { failure: TpmResult.FAIL };
      const name = blobName(type);
      if (name === undefined) return { failure: TpmResult.BAD_PARAMETER };
      try {
        const state = store.importBlob(name, body, (flags & StateFlag.ENCRYPTED) !== 0);
        return plain(tpm.setState(name, state));
      } catch (error) {
        report(`Could not set the state blob '${name}': ${(error as Error).message}`);
        return { failure: resultOf(error) };
      }
    },

    GET_CONFIG: () => {
      const flags = (store.keys.file === undefined ? 0 : ConfigFlag.FILE_KEY) |
        (store.keys.migration === undefined ? 0 : ConfigFlag.MIGRATION_KEY);
      return { response: { result: TpmResult.SUCCESS, flags } };
    },

    SET_DATAFD: (_request, { fd }) => {
      const { dataPlace } = parts;
      if (dataPlace === undefined || dataPlace.taken()) return { failure: TpmResult.IOERROR };
      if (fd === undefined) {
        report("SET_DATAFD came without a descriptor");
        return { failure: TpmResult.BAD_PARAMETER };
      }
      try {
        return { ...success, effects: [{ kind: "useData", channel: dataPlace.channelOf(fd) }] };
      } catch (error) {
        report(`SET_DATAFD is refused: ${(error as Error).message}`);
        return { failure: TpmResult.BAD_PARAMETER };
      }
    },

    SET_BUFFERSIZE: ({ size }) => {
      if (size > 0 && tpm.running) return { failure: TpmResult.BAD_ORDINAL };
      return { response: { result: TpmResult.SUCCESS, ...tpm.setBufferSize(size) } };
    },

    GET_INFO: ({ flags, offset }) => {
      const text = tpm.info(flags);
      if (text === undefined) return { failure: TpmResult.SIZE };
      const bytes = new TextEncoder().encode(text + "\0");
      if (offset >= bytes.length - 1) return { failure: TpmResult.BAD_PARAMETER };
      const data = bytes.subarray(offset, offset + INFO_CHUNK);
      const response = {
        result: TpmResult.SUCCESS,
        totalLength: bytes.length,
        length: data.length,
      };
      return { response, data };
    },

    LOCK_STORAGE: async ({ retries }) => {
      try {
        await lock.lock(retries);
        return success;
      } catch (error) {
        report((error as Error).message);
        return { failure: TpmResult.FAIL };
      }
    },
  };
}
