// Tells the user when state cannot be read or written: each trouble once, and when it is over. The
// chip only gets a number for it.
import type { NvStore } from "../../ffi/callbacks.ts";

export class ReportingStore implements NvStore {
  /** The trouble that was told last, by what was tried, until that succeeds. */
  readonly #told = new Map<string, string>();

  constructor(
    private readonly inner: NvStore,
    private readonly report: (message: string) => void,
    /** What an error is told as. */
    private readonly explain: (error: unknown) => string,
  ) {}

  prepare(): void {
    this.#watched("prepare the storage", () => this.inner.prepare());
  }

  load(name: string): Uint8Array | undefined {
    return this.#watched(`load the state '${name}'`, () => this.inner.load(name));
  }

  store(name: string, bytes: Uint8Array<ArrayBuffer>): void {
    this.#watched(`store the state '${name}'`, () => this.inner.store(name, bytes));
  }

  remove(name: string, mustExist: boolean): void {
    this.#watched(`remove the state '${name}'`, () => this.inner.remove(name, mustExist));
  }

  #watched<T>(what: string, action: () => T): T {
    try {
      const result = action();
      if (this.#told.size > 0 && this.#told.delete(what)) this.report(`Could ${what} again`);
      return result;
    } catch (error) {
      const message = `Could not ${what}: ${this.explain(error)}`;
      if (this.#told.get(what) !== message) this.report(message);
      this.#told.set(what, message);
      throw error;
    }
  }
}
