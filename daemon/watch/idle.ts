// How a loop waits when there is something else to be done meanwhile: while it looks for the next
// command, and before it sleeps. A process without such work waits by the plain classes.
import type { Libc } from "../../ffi/libc.ts";
import { Poller } from "../../ffi/poll.ts";
import { Spin } from "../loop/spin.ts";

/** Work that has time. */
export interface IdleWork {
  readonly hasWork: boolean;
  /** Does a small piece; false when there is none. */
  work(): boolean;
  /** Does all of it. */
  finish(): void;
}

export class IdlePoller extends Poller {
  constructor(libc: Libc, capacity: number, private readonly idle: IdleWork) {
    super(libc, capacity);
  }

  override now(timeoutMs: number): number {
    while (timeoutMs !== 0 && this.idle.hasWork) {
      const ready = super.now(0);
      if (ready !== 0) return ready;
      if (!this.idle.work()) this.idle.finish();
    }
    return super.now(timeoutMs);
  }

  override aside(timeoutMs: number): Promise<number> {
    if (timeoutMs !== 0 && this.idle.hasWork) this.idle.finish();
    return super.aside(timeoutMs);
  }
}

export class IdleSpin extends Spin {
  constructor(processors: number, private readonly idle: IdleWork) {
    super(processors);
  }

  override goesOn(looked: number): boolean {
    this.idle.work();
    return super.goesOn(looked);
  }
}
