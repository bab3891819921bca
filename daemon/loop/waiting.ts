// How the loop waits for its descriptors: in this thread as long as more may follow soon, then beside
// the event loop. Which descriptors those are, and until when, is the loop's decision.
import type { Poller } from "../../ffi/poll.ts";

/**
 * Reading the clock takes as long as a call of the kernel: it is done every so many rounds. A power
 * of two.
 */
const CLOCK_EVERY = 4;
/**
 * How long this thread sleeps in poll(2) itself before it waits beside the event loop, where a
 * wake-up takes two. A signal ends that sleep at once.
 */
const SLEEP_MS = 20;
/**
 * How long commands are served, and slept for so, without a turn of the event loop, which takes a
 * signal's message further; up to `CLOCK_EVERY` sleeps come on top.
 */
const TURN_MS = 200;

export interface WaitingParts {
  poller: Poller;
  /** Milliseconds until something is due; -1 where nothing is. */
  timeoutMs: () => number;
  /** Whether what is waited for came by the event loop. */
  ended: () => boolean;
}

export class Waiting {
  /** Something was served since the last long wait: more may follow soon. */
  busy = false;
  /** When the event loop had its last turn. */
  #turned = 0;
  #rounds = 0;

  constructor(private readonly parts: WaitingParts) {}

  /**
   * Waits until a descriptor is ready, the time is over, or the poller is woken up; undefined when
   * that was so without the event loop. `here`: whether this thread may sleep.
   */
  wait(here: boolean): Promise<void> | undefined {
    const timeout = this.parts.timeoutMs();
    if (this.busy && timeout !== 0 && here) {
      const due = ++this.#rounds % CLOCK_EVERY === 0 && performance.now() - this.#turned > TURN_MS;
      if (due) return this.#turn(timeout);
      if (this.#sleep(timeout)) return undefined;
    }
    return this.#aside(this.parts.timeoutMs());
  }

  /** Gives the event loop a turn, then goes on waiting if nothing is to be done. */
  async #turn(timeout: number): Promise<void> {
    const ready = await this.parts.poller.aside(0);
    this.#turned = performance.now();
    if (ready > 0 || this.parts.ended()) return;
    if (!this.#sleep(timeout)) await this.#aside(this.parts.timeoutMs());
  }

  /** Sleeps in this thread for a while; whether something is ready. */
  #sleep(timeout: number): boolean {
    this.busy = false;
    return this.parts.poller.now(timeout < 0 ? SLEEP_MS : Math.min(timeout, SLEEP_MS)) > 0;
  }

  async #aside(timeout: number): Promise<void> {
    await this.parts.poller.aside(timeout);
    this.#turned = performance.now();
  }
}
