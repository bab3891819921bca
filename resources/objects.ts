// The transient objects of all spaces: each space has its own under virtual handles, the TPM's few
// slots have those that were used last, and the others are contexts that are kept here. Nothing is
// saved or loaded before a slot is needed.
import { type Blob, type Chip, OBJECT_MEMORY } from "./chip.ts";

/** The first virtual handle: clients look for their objects from here on. */
const FIRST = 0x8000_0000;

/** One object of one space. */
export interface Held {
  readonly space: Space;
  readonly virtual: number;
  /** Where the TPM has it; undefined while it is not loaded. */
  handle: number | undefined;
  /** Its context, once it was saved. */
  blob: Blob | undefined;
  /** It never changes, so its context lasts; sequences change with each use. */
  readonly lasting: boolean;
}

/** What one connection has. */
export class Space {
  readonly objects = new Map<number, Held>();

  /** The virtual handles in use, ascending. */
  get handles(): number[] {
    return [...this.objects.keys()].sort((a, b) => a - b);
  }

  /** The smallest virtual handle that is free. */
  get free(): number {
    let handle = FIRST;
    while (this.objects.has(handle)) handle++;
    return handle;
  }
}

export class Objects {
  /** Those that are loaded, who was used longest ago first. */
  readonly #loaded = new Set<Held>();

  constructor(private readonly chip: Chip) {}

  get loaded(): number {
    return this.#loaded.size;
  }

  /** Takes over what the TPM has just made or loaded for a space; returns its virtual handle. */
  add(space: Space, handle: number, lasting: boolean): number {
    const virtual = space.free;
    const held: Held = { space, virtual, handle, blob: undefined, lasting };
    space.objects.set(virtual, held);
    this.#loaded.add(held);
    return virtual;
  }

  /**
   * Has these of a space's objects loaded, all at a time; their real handles, in order. A number
   * says which of them is unknown, or was lost with its hierarchy or a reset, as an index.
   */
  use(space: Space, virtuals: readonly number[]): number[] | number {
    const wanted = new Set<Held>();
    for (const [index, virtual] of virtuals.entries()) {
      const held = space.objects.get(virtual);
      if (held === undefined) return index;
      wanted.add(held);
    }
    const handles: number[] = [];
    for (const [index, virtual] of virtuals.entries()) {
      const held = space.objects.get(virtual)!;
      if (held.handle === undefined && !this.#load(held, wanted)) return index;
      this.#loaded.delete(held);
      this.#loaded.add(held);
      if (!held.lasting) held.blob = undefined;
      handles.push(held.handle!);
    }
    return handles;
  }

  /** Brings an object back; false where there is none any more, or no slot for it. */
  #load(held: Held, wanted: ReadonlySet<Held>): boolean {
    for (;;) {
      const loaded = this.chip.load(held.blob!);
      if ("handle" in loaded) {
        held.handle = loaded.handle;
        this.#loaded.add(held);
        return true;
      }
      if (loaded.code !== OBJECT_MEMORY) {
        // As with what the TPM flushed itself: from now on it is not there.
        held.space.objects.delete(held.virtual);
        return false;
      }
      if (!this.evictOne(wanted)) return false;
    }
  }

  /** Swaps out who was used longest ago and is not wanted now; false where there is nobody. */
  evictOne(wanted: ReadonlySet<Held> = new Set()): boolean {
    for (const held of this.#loaded) {
      if (wanted.has(held)) continue;
      this.#swapOut(held);
      return true;
    }
    return false;
  }

  /** Leaves the TPM's slots to others: before a command of the bare TPM's, or one that clears them. */
  swapOutAll(): void {
    for (const held of this.#loaded) this.#swapOut(held);
  }

  #swapOut(held: Held): void {
    this.#loaded.delete(held);
    const { handle, space, virtual } = held;
    if (handle === undefined) return;
    held.handle = undefined;
    if (held.blob === undefined) {
      const saved = this.chip.save(handle);
      // A TPM that cannot save has lost it, as in failure mode.
      if ("blob" in saved) held.blob = saved.blob;
      else space.objects.delete(virtual);
    }
    this.chip.flush(handle);
  }

  /**
   * TPM2_FlushContext of a space's object, or a command that has flushed it (`gone`). False where it
   * has none of that handle. What is swapped out needs no TPM.
   */
  drop(space: Space, virtual: number, gone = false): boolean {
    const held = space.objects.get(virtual);
    if (held === undefined) return false;
    space.objects.delete(virtual);
    this.#loaded.delete(held);
    if (held.handle !== undefined && !gone) this.chip.flush(held.handle);
    return true;
  }

  /** The connection is gone: so is what it had. */
  close(space: Space): void {
    for (const virtual of space.handles) this.drop(space, virtual);
  }

  /** The TPM was turned off or reset: what was loaded is not there any more. */
  lostPower(): void {
    for (const held of this.#loaded) {
      held.handle = undefined;
      if (held.blob === undefined) held.space.objects.delete(held.virtual);
    }
    this.#loaded.clear();
  }
}
