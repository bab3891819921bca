// A TPM of so many slots, for tests: its contexts are names of objects, and it counts what it does.
import { type Blob, type Chip, OBJECT_MEMORY } from "./chip.ts";

const FIRST = 0x8000_0000;
const INTEGRITY = 0x1df;

export class FakeChip implements Chip {
  /** What is in the slots, by handle. */
  readonly slots = new Map<number, number>();
  readonly calls = { save: 0, load: 0, flush: 0 };
  /** Contexts of these objects do not load any more. */
  readonly dead = new Set<number>();
  #made = 0;

  constructor(private readonly slotsMax = 3) {}

  /** Makes an object, or says that there is no slot. */
  make(): number | undefined {
    const handle = this.#place(this.#made + 1);
    if (handle !== undefined) this.#made++;
    return handle;
  }

  #place(object: number): number | undefined {
    for (let handle = FIRST; handle < FIRST + this.slotsMax; handle++) {
      if (this.slots.has(handle)) continue;
      this.slots.set(handle, object);
      return handle;
    }
    return undefined;
  }

  save(handle: number): { blob: Blob } {
    this.calls.save++;
    return { blob: Uint8Array.of(this.slots.get(handle)!) };
  }

  load(blob: Blob): { handle: number } | { code: number } {
    this.calls.load++;
    if (this.dead.has(blob[0]!)) return { code: INTEGRITY };
    const handle = this.#place(blob[0]!);
    return handle === undefined ? { code: OBJECT_MEMORY } : { handle };
  }

  flush(handle: number): void {
    this.calls.flush++;
    this.slots.delete(handle);
  }
}
