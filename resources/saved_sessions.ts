// The sessions that were saved, in the order of their saving, and the gap that the TPM can bear between
// the oldest of them and the next: before it is too wide, the oldest is to be loaded and saved again.
// That makes the client's own blob stale, so what a client has is kept beside what the TPM has now.
import type { Blob } from "./chip.ts";

/** Contexts of sessions that may be saved after one before the TPM refuses (TPM_PT_CONTEXT_GAP_MAX). */
export const GAP_MAX = 65_535;
/** Early enough that no answer of the TPM's is needed to know. */
const GAP_WISHED = 32_768;

/** A session's handle: its kind in the high byte, its number in the others. */
const NUMBER = 0xff_ffff;

interface Saved {
  /** How the client got it; what it will hand in again. */
  readonly handedOut: Blob;
  /** What the TPM will take. */
  current: Blob;
  /** The TPM's count of saves when it was saved (TPMS_CONTEXT.sequence). */
  count: bigint;
}

export class SavedSessions {
  /** By their numbers, the one that was saved longest ago first. */
  readonly #saved = new Map<number, Saved>();
  /** The count of the last save. */
  #count = 0n;

  get size(): number {
    return this.#saved.size;
  }

  /** A session was saved, by its client or for it; `handedOut` is given where the client has another. */
  saved(handle: number, count: bigint, blob: Blob, handedOut: Blob = blob): void {
    const number = handle & NUMBER;
    this.#saved.delete(number);
    this.#saved.set(number, { handedOut, current: blob, count });
    this.#count = count;
  }

  /** A session is loaded again, or gone. */
  forget(handle: number): void {
    this.#saved.delete(handle & NUMBER);
  }

  /** All of them are gone: the TPM was reset. */
  forgetAll(): void {
    this.#saved.clear();
  }

  /** What the TPM takes for what a client hands in; the same bytes where nothing is known of them. */
  current(handle: number, blob: Blob): Blob {
    const saved = this.#saved.get(handle & NUMBER);
    return saved !== undefined && isSame(saved.handedOut, blob) ? saved.current : blob;
  }

  /** The session that is to be saved anew before another one is saved, if one is. */
  overdue(): { number: number; blob: Blob; handedOut: Blob } | undefined {
    for (const [number, { current, handedOut, count }] of this.#saved) {
      if (this.#count - count <= GAP_WISHED) return undefined;
      return { number, blob: current, handedOut };
    }
    return undefined;
  }

  /** The one that was saved longest ago, for a TPM that has answered CONTEXT_GAP all the same. */
  oldest(): { number: number; blob: Blob; handedOut: Blob } | undefined {
    for (const [number, { current, handedOut }] of this.#saved) {
      return { number, blob: current, handedOut };
    }
    return undefined;
  }
}

function isSame(one: Blob, other: Blob): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
