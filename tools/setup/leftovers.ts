// What must not stay behind when a signal ends the work: folders and processes that are there for a
// while. A TPM that is made in this process has none of them and is simply left off.
import { EndingSignals } from "../../daemon/end/signals.ts";
import type { System } from "../../daemon/system.ts";
import { type SignalName, signalNumber } from "../../ffi/signals.ts";

export class Leftovers implements Disposable {
  readonly #signals: EndingSignals;
  readonly #removals: (() => void)[] = [];

  /**
   * From now on a signal ends the process between two things that are waited for, so that what is
   * written meanwhile is whole; as ever, its exit code says which signal it was.
   */
  constructor({ signals, process }: System) {
    this.#signals = new EndingSignals(signals);
    this.#signals.onEnd(() => {
      this.#clear();
      process.endBy(signalNumber(this.#signals.reason as SignalName));
    });
  }

  /** Something is there that `remove` takes away: with what is returned, or when a signal comes. */
  add(remove: () => void): Disposable {
    this.#removals.push(remove);
    return {
      [Symbol.dispose]: () => {
        const at = this.#removals.indexOf(remove);
        if (at < 0) return;
        this.#removals.splice(at, 1);
        remove();
      },
    };
  }

  [Symbol.dispose](): void {
    this.#clear();
    this.#signals[Symbol.dispose]();
  }

  /** The last one goes first, as what was made later may stand on what was there. */
  #clear(): void {
    for (let remove = this.#removals.pop(); remove; remove = this.#removals.pop()) {
      try {
        remove();
      } catch {
        // The end does not wait for what cannot be removed.
      }
    }
  }
}
