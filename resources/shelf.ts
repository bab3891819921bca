// Where contexts are kept. Their memory is used again: as garbage that has grown old it would count for
// nothing with the runtime until there are tens of megabytes of it.
import type { Context } from "./context.ts";

/** libtpms' largest context is a little below. */
const PLACE_SIZE = 2_816;
/** So many are kept for the next ones; connections that end give back dozens. */
const FREE_MAX = 128;

export class Shelf {
  readonly #free: ArrayBuffer[] = [];

  /** A copy of a context, whoever it came from; it is the caller's until {@linkcode give}n back. */
  keep(bytes: Uint8Array): Context {
    if (bytes.length > PLACE_SIZE) return bytes.slice();
    const context = new Uint8Array(
      this.#free.pop() ?? new ArrayBuffer(PLACE_SIZE),
      0,
      bytes.length,
    );
    context.set(bytes);
    return context;
  }

  /** Nobody looks at it any more. */
  give(context: Context | undefined): undefined {
    if (context === undefined || context.buffer.byteLength !== PLACE_SIZE) return undefined;
    if (this.#free.length < FREE_MAX) this.#free.push(context.buffer);
    return undefined;
  }
}
