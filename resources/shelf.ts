// Where contexts are kept. Their memory is used again: as garbage that has grown old it would count for
// nothing with the runtime until there are tens of megabytes of it.
import type { Context } from "./context.ts";

/** So many are kept for the next ones; connections that end give back dozens. */
const FREE_MAX = 256;

export class Shelf {
  /** Those that nobody has, by their lengths, which are as few as there are kinds of objects. */
  readonly #free = new Map<number, Context[]>();
  #count = 0;

  /** A copy of a context, whoever it came from; it is the caller's until {@linkcode give}n back. */
  keep(bytes: Uint8Array): Context {
    const context = this.#free.get(bytes.length)?.pop();
    if (context === undefined) return bytes.slice();
    this.#count--;
    context.set(bytes);
    return context;
  }

  /** Nobody looks at it any more. */
  give(context: Context | undefined): undefined {
    if (context === undefined || this.#count >= FREE_MAX) return undefined;
    this.#count++;
    const like = this.#free.get(context.length);
    if (like === undefined) this.#free.set(context.length, [context]);
    else like.push(context);
    return undefined;
  }
}
