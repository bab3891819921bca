// `swtpm state convert` and `clone`: a TPM's states at another place, under another key or as they are.
// The source is locked meanwhile and never written to.
import { print } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { type Backend, STATE_NAMES } from "../../state/backend.ts";
import { decodeBlob } from "../../state/envelope.ts";
import { MemoryBackend } from "../../state/memory.ts";
import { StateStore, type StoreKeys } from "../../state/store.ts";
import { isTpm2State, type LastingPlace, openToRead } from "../own_tpm/stored.ts";
import { lockSource } from "./source_lock.ts";
import { type Piece, type Target, writeTarget } from "./target.ts";

export interface CopyOptions {
  readonly json: boolean;
  /** What the source is read with. */
  readonly keys: StoreKeys;
  /** What the target is written with; undefined: each state in the envelope that it has. */
  readonly newKeys: StoreKeys | undefined;
  readonly mode: number | undefined;
  /** Whose states; those of both where they are there. */
  readonly versions: readonly boolean[];
}

/** Returns the exit code. */
export function copy(
  system: System,
  source: LastingPlace,
  target: Target,
  options: CopyOptions,
): number {
  using closers = new DisposableStack();
  // A file's lock goes with any descriptor of it: what reads is open before and after.
  const stored = (source.kind === "file" ? [undefined] : options.versions).map((tpm2) => {
    const backend = openToRead(system, source, tpm2 ?? true);
    closers.defer(() => backend.close());
    return { tpm2, backend };
  });
  closers.use(lockSource(system, source));
  const pieces = stored.flatMap(({ tpm2, backend }) => piecesOf(backend, tpm2, options));
  if (pieces.length === 0) throw new Error(`there is no TPM's state in '${source.path}'`);
  const found = new Set(pieces.map(({ tpm2 }) => tpm2));
  if (found.size > 1 && target.kind !== "directory") {
    throw new Error(
      `'${source.path}' holds a TPM 2 and a TPM 1.2, and a file takes one: --tpm2 or --tpm12 says which`,
    );
  }
  for (const tpm2 of found) {
    if (pieces.some((piece) => piece.tpm2 === tpm2 && piece.name === "permall")) continue;
    throw new Error(
      `there is no permanent state of a TPM ${tpm2 ? "2" : "1.2"} in '${source.path}'`,
    );
  }
  writeTarget(system, target, pieces, options.mode);
  print(system, told(source, target, pieces, options.json));
  return 0;
}

function piecesOf(backend: Backend, tpm2: boolean | undefined, options: CopyOptions): Piece[] {
  const { keys, newKeys } = options;
  const store = new StateStore(backend, keys);
  const sealed = newKeys && new StateStore(new MemoryBackend(), newKeys);
  let version = tpm2;
  const pieces: Piece[] = [];
  // The permanent state says whose they are, and stands first.
  for (const name of STATE_NAMES) {
    let bytes = backend.load(name);
    if (bytes === undefined) continue;
    decodeBlob(bytes, backend.nameOf(name));
    version ??= versionOf(store, options.versions, sealed === undefined);
    if (sealed !== undefined) {
      sealed.store(name, store.load(name)!);
      bytes = sealed.backend.load(name)!;
    }
    pieces.push({ tpm2: version, name, bytes });
  }
  return pieces;
}

/** Whose states a file holds. An encrypted one need not be opened where it is told. */
function versionOf(store: StateStore, versions: readonly boolean[], asIs: boolean): boolean {
  const [told, other] = versions;
  if (asIs && told !== undefined && other === undefined) return told;
  const permanent = store.load("permall");
  if (permanent === undefined) {
    throw new Error(`there is no permanent state in '${store.backend.uri}'`);
  }
  return isTpm2State(permanent);
}

function told(
  source: LastingPlace,
  { uri }: Target,
  pieces: readonly Piece[],
  json: boolean,
): string {
  const states = pieces.map(({ tpm2, name, bytes }) => ({
    version: tpm2 ? "2" : "1.2",
    name,
    bytes: bytes.length,
  }));
  if (json) return `${JSON.stringify({ source: source.path, target: uri, states })}\n`;
  const list = states.map(({ name, bytes, version }) =>
    `${name} of a TPM ${version} (${bytes} bytes)`
  );
  return `${uri} holds now: ${list.join(", ")}\n`;
}
