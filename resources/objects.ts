// The transient objects of all spaces: the TPM's few slots have those that were used last, the others
// are contexts that are kept here. Nothing is saved or loaded before a slot is needed.
import { TpmRc } from "../wire/codes.ts";
import { type Chip, isHandle } from "./chip.ts";
import { type Context, savedHandleAt, SEQUENCE } from "./context.ts";
import { isGone } from "./refusals.ts";

/** One object of one space. */
export interface Held {
  readonly owner: Owner;
  /** How its client calls it. */
  readonly virtual: number;
  /** Where the TPM has it; undefined while it is not loaded. */
  handle: number | undefined;
  /** Its context, once it was saved. */
  context: Context | undefined;
  /** The command that is being served needs it. */
  pinned: boolean;
}

/** Whose it is. */
export interface Owner {
  readonly objects: Map<number, Held>;
}

/** The first virtual handle: clients look for their objects from here on. */
export const FIRST_OBJECT = 0x8000_0000;

export class Objects {
  /** Those that are loaded, who was used longest ago first. */
  readonly #loaded: Held[] = [];
  /** How many the TPM has room for. */
  slots = 3;

  constructor(private readonly chip: Chip) {}

  get loadedCount(): number {
    return this.#loaded.length;
  }

  /** Takes over what the TPM has just made or loaded; `context` is one that will do later, too. */
  add(owner: Owner, handle: number, context?: Context): Held {
    let virtual = FIRST_OBJECT;
    while (owner.objects.has(virtual)) virtual++;
    const held: Held = { owner, virtual, handle, context, pinned: false };
    owner.objects.set(virtual, held);
    this.#loaded.push(held);
    return held;
  }

  /** The next command needs nothing yet. */
  unpin(): void {
    for (const held of this.#loaded) held.pinned = false;
  }

  /** It is needed by the present command; {@linkcode load} brings it back where it is not loaded. */
  pin(held: Held): void {
    held.pinned = true;
    if (held.handle === undefined) return;
    // A sequence changes with its use.
    if (held.context !== undefined && savedHandleAt(held.context, 0) === SEQUENCE) {
      held.context = this.chip.shelf.give(held.context);
    }
    if (this.#loaded[this.#loaded.length - 1] === held) return;
    this.#unload(held);
    this.#loaded.push(held);
  }

  /** Brings an object back: 0, or the code of the TPM's refusal. It may be gone then. */
  load(held: Held): number {
    const context = held.context!;
    this.makeRoom(1);
    for (;;) {
      const handle = this.chip.load(context);
      if (isHandle(handle)) {
        held.handle = handle;
        this.#loaded.push(held);
        this.pin(held);
        return TpmRc.SUCCESS;
      }
      if (handle === TpmRc.OBJECT_MEMORY && this.evictOne()) continue;
      held.pinned = false;
      // As with what the TPM flushed itself: from now on it is not there.
      if (isGone(handle)) this.#remove(held);
      return handle;
    }
  }

  /** Sees to so many free slots, as far as others than the present command hold them. */
  makeRoom(count: number): void {
    while (this.#loaded.length + count > this.slots && this.evictOne());
  }

  /** Swaps out who was used longest ago and is not needed now; false where there is nobody. */
  evictOne(): boolean {
    for (const held of this.#loaded) if (!held.pinned) return this.#swapOut(held);
    return false;
  }

  /** Leaves the TPM's slots to others. */
  swapOutAll(): void {
    for (const held of [...this.#loaded]) this.#swapOut(held);
  }

  /** False where the TPM saves nothing, as in failure mode. */
  #swapOut(held: Held): boolean {
    const handle = held.handle!;
    if (held.context === undefined) {
      const saved = this.chip.save(handle);
      if (typeof saved !== "number") held.context = saved;
      else if (!isGone(saved)) return false;
      else this.#remove(held);
    }
    this.#unload(held);
    held.handle = undefined;
    this.chip.flush(handle);
    return true;
  }

  #unload(held: Held): void {
    const at = this.#loaded.indexOf(held);
    if (at >= 0) this.#loaded.splice(at, 1);
  }

  /** The TPM has flushed it, or it is not loaded. */
  forget(held: Held): void {
    this.#unload(held);
    this.#remove(held);
  }

  #remove(held: Held): void {
    held.owner.objects.delete(held.virtual);
    held.context = this.chip.shelf.give(held.context);
  }

  /** All that one has is gone. */
  close(owner: Owner): void {
    for (const held of owner.objects.values()) {
      if (held.handle !== undefined) this.chip.flush(held.handle);
      this.forget(held);
    }
  }

  /** The TPM is off: what was loaded is gone. */
  powerLost(): void {
    for (const held of this.#loaded.splice(0)) this.#remove(held);
  }
}
