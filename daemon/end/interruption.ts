// The end as it is asked for from outside, at any moment: while something is opened or waited for, or
// when the loop runs. Who asks is told to it (signals.ts, background.ts).

/** Remembers a demand that came before there was anything to end. */
export class Interruption {
  readonly #asking = Promise.withResolvers<undefined>();
  #reason: string | undefined;
  #action: (() => void) | undefined;

  /** Asks for the end; `reason` is the cause in words. The first one counts. */
  ask(reason: string): void {
    this.#reason ??= reason;
    this.#asking.resolve(undefined);
    this.#action?.();
  }

  /** Why the end was asked for; undefined where nobody did. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /**
   * What comes of some work, such as opening; undefined as soon as the end is asked for, whatever is
   * still waited for. What was made by then must already be in the hands of who gives it back.
   */
  async orElse<T>(work: Promise<T>): Promise<T | undefined> {
    return await Promise.race([work, this.#asking.promise]);
  }

  /** What ends the process from now on. */
  onEnd(action: () => void): void {
    this.#action = action;
    if (this.#reason !== undefined) action();
  }
}
