// A TPM's states where they lie, for tools that look at them: nothing is locked, made or changed
// there. A TPM that is to be asked gets a copy in memory.
import type { System } from "../../daemon/system.ts";
import { type Backend, STATE_NAMES, type StateName } from "../../state/backend.ts";
import { DirectoryBackend } from "../../state/directory.ts";
import { LinearBackend } from "../../state/linear.ts";
import { MemoryBackend } from "../../state/memory.ts";
import { placeOf, type StatePlace } from "../../state/place.ts";
import { StateStore } from "../../state/store.ts";

/** Where states outlive their TPM. */
export type LastingPlace = Extract<StatePlace, { kind: "directory" | "file" }>;

/** States without their envelopes. */
export type PlainStates = ReadonlyMap<StateName, Uint8Array<ArrayBuffer>>;

/** The place that a user names by a URI, or by a path: of a directory, a file, a block device. */
export function lastingPlace(system: Pick<System, "files">, where: string): LastingPlace {
  const isUri = where.includes("://");
  const named = isUri ? placeOf(where) : { kind: "file" as const, path: where };
  if (named.kind !== "directory" && named.kind !== "file") {
    throw new Error(`'${where}' is no place of states: it is dir://DIRECTORY or file://FILE`);
  }
  const { path } = named;
  const found = system.files.statusOf(path)?.kind;
  if (found === undefined) throw new Error(`there is no '${path}'`);
  const kind = found === "directory" ? "directory" : "file";
  if (isUri && kind !== named.kind) throw new Error(`'${path}' is a ${found}, not a ${named.kind}`);
  return { kind, path };
}

/** What stores the states of one TPM there, to load from. */
export function openToRead(
  { files }: Pick<System, "files">,
  { kind, path }: LastingPlace,
  tpm2: boolean,
): Backend {
  // One that locks mends nothing before it is told to lock.
  const backend = kind === "directory"
    ? new DirectoryBackend(files, { directory: path, tpm2, lock: true })
    : new LinearBackend(files, { path, lock: false, readOnly: true });
  backend.prepare();
  return backend;
}

/** All that a store has. Throws StateError for what cannot be read. */
export function plainStates(store: StateStore): PlainStates {
  const states = new Map<StateName, Uint8Array<ArrayBuffer>>();
  for (const name of STATE_NAMES) {
    const bytes = store.load(name);
    if (bytes !== undefined) states.set(name, bytes);
  }
  return states;
}

/** A copy for a TPM to run on. */
export function copyInMemory(states: PlainStates): StateStore {
  const copy = new StateStore(new MemoryBackend());
  for (const [name, bytes] of states) copy.store(name, bytes);
  return copy;
}

/** What libtpms' permanent state of a TPM 2 begins with, behind two bytes of version. */
const TPM2_MAGIC = [0xab, 0x36, 0x47, 0x23] as const;

/** Whether a permanent state is one of a TPM 2: a file for all states does not say whose it holds. */
export function isTpm2State(permanent: Uint8Array): boolean {
  return TPM2_MAGIC.every((byte, at) => permanent[2 + at] === byte);
}
