// The signals that end the process in order, from its first moment on.

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** Hears the signals, and remembers one that came before there was anything to end. */
export class EndingSignals implements Disposable {
  readonly #asking = Promise.withResolvers<undefined>();
  readonly #heard = () => this.#end();
  #asked = false;
  #action: (() => void) | undefined;

  constructor() {
    for (const signal of SIGNALS) Deno.addSignalListener(signal, this.#heard);
  }

  /** What comes of some work; undefined as soon as the end is asked for. */
  async orElse<T>(work: Promise<T>): Promise<T | undefined> {
    return await Promise.race([work, this.#asking.promise]);
  }

  /** What ends the process from now on. */
  onEnd(action: () => void): void {
    this.#action = action;
    if (this.#asked) action();
  }

  #end(): void {
    this.#asked = true;
    this.#asking.resolve(undefined);
    this.#action?.();
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, this.#heard);
  }
}
