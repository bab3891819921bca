// The signals that end the process in order, from its first moment on.
import type { Signals } from "../../ffi/signals.ts";
import { Interruption } from "./interruption.ts";

const ENDING = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** As in the C program, a starter that ignores it has no say; nohup and a shell's `&` do. */
const ALWAYS = ["SIGTERM"] as const;

/** An end that signals ask for. */
export class EndingSignals extends Interruption implements Disposable {
  readonly #deaf: () => void;

  constructor(signals: Signals) {
    super();
    this.#deaf = signals.hear<typeof ENDING[number]>(ENDING, (name) => this.ask(name), ALWAYS);
  }

  [Symbol.dispose](): void {
    this.#deaf();
  }
}
