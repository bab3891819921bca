// Where clients come in: a listener, and when not to look at it because accepting would fail again.
// What becomes of the connections is the loop's affair.
import type { Bell } from "../../ffi/bell.ts";
import { type Poller, POLLIN } from "../../ffi/poll.ts";
import type { Channel } from "../../transports/channel.ts";
import type { Listener } from "../../transports/listener.ts";

/**
 * How long nobody is accepted after that failed: without a free descriptor the connection stays
 * where it is, and the listener readable. Clients that are there are served meanwhile.
 */
const PAUSE_MS = 100;

export class Entrance {
  readonly fd: number;
  #pausedUntil: number | undefined;
  /** A failure is told once, however often it comes. */
  #told: string | undefined;

  /** `what` names it in messages: "data channel". */
  constructor(
    private readonly listener: Listener,
    private readonly what: string,
    private readonly report: (message: string) => void,
  ) {
    this.fd = listener.fd;
  }

  /** When to look again (performance.now()), if not now. */
  get pausedUntil(): number | undefined {
    return this.#pausedUntil;
  }

  /** Has a connection ring that waits. */
  hang(bell: Bell): void {
    bell.hang(this.fd);
  }

  /** Looks for connections; returns the slot, or undefined where that is not the time. */
  watch(poller: Poller): number | undefined {
    if (this.#pausedUntil !== undefined && performance.now() < this.#pausedUntil) return undefined;
    this.#pausedUntil = undefined;
    return poller.add(this.fd, POLLIN);
  }

  /** Takes a connection that waits; undefined where there is none, or none can be taken. */
  accept(): Channel | undefined {
    try {
      return this.listener.accept();
    } catch (error) {
      this.#pausedUntil = performance.now() + PAUSE_MS;
      const { message } = error as Error;
      if (message !== this.#told) {
        this.report(`Could not take a client of the ${this.what}: ${message}; trying again`);
      }
      this.#told = message;
      return undefined;
    }
  }
}
