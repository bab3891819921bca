// What lies at a place of states: which TPMs', how large, how encrypted, and what is wrong with them as
// far as that shows without a TPM. Nothing is locked or changed.
import { explain } from "../../daemon/output/explain.ts";
import type { System } from "../../daemon/system.ts";
import { O } from "../../ffi/files.ts";
import { type Backend, STATE_NAMES, type StateName } from "../../state/backend.ts";
import { BlobFlag, blobHeader } from "../../state/envelope.ts";
import { LOCK_NAME } from "../../state/file_names.ts";
import { StateStore, type StoreKeys } from "../../state/store.ts";
import { isTpm2State, type LastingPlace, openToRead, type PlainStates } from "../own_tpm/stored.ts";
import { processName } from "../own_tpm/system_file.ts";
import type { Unknown } from "./contents.ts";

/** One state as it is stored. */
export interface StoredState {
  readonly name: StateName;
  /** What messages call it. */
  readonly where: string;
  /** Undefined where that cannot even be told. */
  readonly bytes: number | undefined;
  readonly encryption: "none" | "128 bit" | "256 bit" | undefined;
  /** Why it cannot be read. */
  readonly fault?: string;
}

/** The states of one TPM. */
export interface StoredTpm {
  /** Undefined for those in a file that cannot be read: the file does not say whose they are. */
  readonly tpm2: boolean | undefined;
  readonly states: readonly StoredState[];
  /** Those that can be read. */
  readonly plain: PlainStates;
}

export interface Look {
  readonly uri: string;
  /** Who keeps others out, in words; null where nobody does. */
  readonly lockedBy: string | null | Unknown;
  readonly tpms: readonly StoredTpm[];
}

/** `versions`: which TPMs of a directory are looked at; a file has one. */
export function lookAt(
  system: System,
  place: LastingPlace,
  keys: StoreKeys,
  versions: readonly boolean[],
): Look {
  const uri = `${place.kind === "directory" ? "dir" : "file"}://${place.path}`;
  const found = place.kind === "directory"
    ? versions.map((tpm2) => storedTpm(system, openToRead(system, place, tpm2), keys, tpm2))
    : [ofFile(storedTpm(system, openToRead(system, place, true), keys, undefined))];
  const tpms = found.filter(({ states }) => states.length > 0);
  if (tpms.length === 0) throw new Error(`there is no TPM's state in '${place.path}'`);
  return { uri, lockedBy: lockHolder(system, place), tpms };
}

function ofFile(stored: StoredTpm): StoredTpm {
  const permanent = stored.plain.get("permall");
  return { ...stored, tpm2: permanent && isTpm2State(permanent) };
}

function storedTpm(
  system: System,
  backend: Backend,
  keys: StoreKeys,
  tpm2: boolean | undefined,
): StoredTpm {
  const store = new StateStore(backend, keys);
  const states: StoredState[] = [];
  const plain = new Map<StateName, Uint8Array<ArrayBuffer>>();
  for (const name of STATE_NAMES) {
    const where = backend.nameOf(name);
    let stored: Uint8Array<ArrayBuffer> | undefined;
    try {
      stored = backend.load(name);
      if (stored === undefined) continue;
      plain.set(name, store.load(name)!);
      states.push({ name, where, ...envelopeOf(stored) });
    } catch (error) {
      states.push({ name, where, ...envelopeOf(stored), fault: explain(system, error) });
    }
  }
  backend.close();
  return { tpm2, states, plain };
}

function envelopeOf(
  stored: Uint8Array<ArrayBuffer> | undefined,
): Pick<StoredState, "bytes" | "encryption"> {
  if (stored === undefined) return { bytes: undefined, encryption: undefined };
  const bytes = stored.length;
  if (bytes < blobHeader.size) return { bytes, encryption: undefined };
  const { flags } = blobHeader.read(stored, 0);
  const bits = (flags & BlobFlag.KEY_256) === 0 ? "128 bit" : "256 bit";
  return { bytes, encryption: (flags & BlobFlag.ENCRYPTED) === 0 ? "none" : bits };
}

function lockHolder(system: System, { kind, path }: LastingPlace): Look["lockedBy"] {
  const { files } = system;
  const lock = kind === "directory" ? `${path}/${LOCK_NAME}` : path;
  if (files.statusOf(lock) === undefined) return null;
  let fd: number | undefined;
  try {
    fd = files.open(lock, O.RDONLY | O.NONBLOCK);
    const holder = files.lockHolder(fd, lock);
    return holder === undefined ? null : processName(files, holder);
  } catch (error) {
    return { unknown: explain(system, error) }; // the states may be there for us all the same
  } finally {
    if (fd !== undefined) files.close(fd);
  }
}
