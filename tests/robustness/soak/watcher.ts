// The good client as the run sees it: told to ask, and asked later what it saw. The asking is
// good_client.ts', in a thread of its own.

import type { Watch, Watched } from "./good_client.ts";
import { within } from "../../support/wait.ts";

/** Longer than the good client's own patience, which has the better message. */
const WORD_MS = 60_000;

/** A thread with the good client; `using` ends it. */
export class Watcher implements Disposable {
  readonly #worker = new Worker(new URL("./good_client.ts", import.meta.url), { type: "module" });
  #watched: Promise<Watched> | undefined;

  /** Has it ask, and returns when the first answer has come. */
  async begin(orders: Watch): Promise<void> {
    const asking = Promise.withResolvers<void>();
    const watched = Promise.withResolvers<Watched>();
    this.#worker.onmessage = ({ data }: MessageEvent<"asking" | Watched>) => {
      if (data !== "asking") watched.resolve(data);
      asking.resolve();
    };
    this.#worker.onerror = (event) => {
      watched.reject(new Error(`the good client's thread failed: ${event.message}`));
      asking.resolve();
    };
    this.#watched = watched.promise;
    this.#worker.postMessage(orders);
    await within("the good client's first answer", asking.promise, WORD_MS);
  }

  /** What it saw until now; it stops asking. */
  async end(): Promise<Watched> {
    if (this.#watched === undefined) throw new Error("nobody has asked");
    this.#worker.postMessage("end");
    return await within("the good client's end", this.#watched, WORD_MS);
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
