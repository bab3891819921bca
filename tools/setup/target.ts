// Where the new TPM's state will be: what is there already, and how it is replaced. Nothing of it is
// changed before the new state is there whole.
import { dirname } from "node:path";
import { UsageError } from "../../cli/usage_error.ts";
import { openBackend } from "../../daemon/chip/storage.ts";
import type { System } from "../../daemon/system.ts";
import type { FileStatus } from "../../ffi/file_status.ts";
import { SystemError } from "../../ffi/libc.ts";
import { Access, Machine } from "../../ffi/machine.ts";
import { type Backend, STATE_NAMES, type StateName } from "../../state/backend.ts";
import { LOCK_NAME } from "../../state/file_names.ts";
import { placeOf, type StatePlace } from "../../state/place.ts";

/** What is put aside while the permanent state is replaced: it belongs to the old one. */
const FOLLOWERS: readonly StateName[] = ["volatilestate", "savestate"];

/** The place that `--tpm-state` names: a URI, or a directory's path. */
export function targetPlace(text: string): StatePlace {
  return /^(dir|file):\/\//.test(text) ? placeOf(text) : { kind: "directory", path: text };
}

export class Target implements Disposable {
  #backend: Backend | undefined;

  constructor(
    private readonly system: System,
    readonly place: StatePlace,
    private readonly tpm2: boolean,
    private readonly userName: string,
  ) {}

  /** Where something can be put beside the state. */
  get folder(): string {
    const { place } = this;
    if (place.kind === "directory") return place.path;
    return place.kind === "file" ? dirname(place.path) : ".";
  }

  /** Whether we may read and write there. Throws {@linkcode UsageError} as the C program has it. */
  check(): void {
    const { place, userName: name } = this;
    if (place.kind === "directory") {
      const lock = `${place.path}/${LOCK_NAME}`;
      if (statusIfAny(this.system, lock) !== undefined && !this.#may(lock)) {
        throw new UsageError(`User ${name} cannot read/write lockfile ${lock}.`);
      }
      checkDirectory(this.system, place.path, name, Access.READ + Access.WRITE);
      return;
    }
    if (place.kind !== "file") throw new UsageError("--tpm-state takes dir://, file:// or a path");
    if (this.#isAbsent()) {
      checkDirectory(this.system, dirname(place.path), name, Access.WRITE);
      return;
    }
    if (this.#may(place.path)) return;
    throw new UsageError(`User ${name} cannot read and write the file ${place.path}.`);
  }

  /** Whether a permanent state is there. */
  async exists(): Promise<boolean> {
    if (this.#isAbsent()) return false;
    return (await this.#open()).size("permall") !== undefined;
  }

  /** The permanent state as it is stored, sealed perhaps; there has to be one. */
  async read(): Promise<Uint8Array<ArrayBuffer>> {
    const state = (await this.#open()).load("permall");
    if (state === undefined) throw new Error("the TPM's permanent state has gone");
    return state;
  }

  /**
   * From now on the state is ours: no emulator has it, none gets it. What is made later on is made
   * under this lock. Throws StateError where somebody has it.
   */
  async lock(): Promise<void> {
    if (!this.#isAbsent()) (await this.#open()).lock();
  }

  /**
   * The new permanent state takes the old one's place, at one stroke. With `alone` the states of
   * another version's TPM go, too, as the C program has one TPM in a directory.
   */
  async replace(state: Uint8Array<ArrayBuffer>, alone: boolean): Promise<void> {
    const isNew = this.#isAbsent();
    const backend = await this.#open();
    try {
      backend.lock();
      const kept = FOLLOWERS.map((name) => [name, backend.load(name)] as const);
      for (const name of FOLLOWERS) backend.remove(name);
      try {
        backend.store("permall", state);
      } catch (error) {
        for (const [name, bytes] of kept) if (bytes !== undefined) backend.store(name, bytes);
        throw error;
      }
    } catch (error) {
      if (isNew && this.place.kind === "file") this.system.files.unlink(this.place.path);
      throw error;
    }
    if (alone) this.#removeOthers();
  }

  [Symbol.dispose](): void {
    this.#backend?.close();
  }

  #removeOthers(): void {
    if (this.place.kind !== "directory") return;
    const { path } = this.place;
    const ours = this.tpm2 ? "tpm2-00." : "tpm-00.";
    for (const { name } of Deno.readDirSync(path)) {
      const isState = STATE_NAMES.some((state) => name.endsWith(state));
      if (isState && !name.startsWith(ours)) this.system.files.unlink(`${path}/${name}`);
    }
  }

  async #open(): Promise<Backend> {
    if (this.#backend !== undefined) return this.#backend;
    const { system, place, tpm2 } = this;
    const fsync = place.kind === "directory";
    const state = { place, mode: undefined, lock: true, backup: false, fsync };
    const backend = await openBackend(system, { state, tpm2 });
    backend.prepare();
    this.#backend = backend;
    return backend;
  }

  /** Only what is surely not there may be taken for new. Throws SystemError. */
  #isAbsent(): boolean {
    const { place, system } = this;
    return place.kind === "file" && system.files.statusOf(place.path) === undefined;
  }

  #may(path: string): boolean {
    return new Machine(this.system.libc).may(path, Access.READ + Access.WRITE);
  }
}

/** Throws {@linkcode UsageError} where there is no directory, or not one that may be used so. */
export function checkDirectory(
  system: System,
  path: string,
  userName: string,
  access: number,
): void {
  if (statusIfAny(system, path)?.kind !== "directory") {
    throw new UsageError(
      `User ${userName} cannot access directory ${path}. Make sure it exists and is a directory.`,
    );
  }
  const machine = new Machine(system.libc);
  for (const [right, word] of [[Access.READ, "read"], [Access.WRITE, "write"]] as const) {
    if ((access & right) === 0 || machine.may(path, right)) continue;
    throw new UsageError(`Need ${word} rights on directory ${path} for user ${userName}.`);
  }
}

function statusIfAny({ files }: System, path: string): FileStatus | undefined {
  try {
    return files.statusOf(path);
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}
