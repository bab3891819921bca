// Waiting for descriptors: poll(2) at once, for a while, or beside the event loop, and an eventfd
// that ends a wait from within the process. Who is waited for is the loop's decision.
import { Errno, type Libc, openLibc, pointerTo } from "./libc.ts";

export const pollSymbols = {
  /** int poll(struct pollfd *fds, nfds_t nfds, int timeout_ms) */
  poll: { parameters: ["pointer", "u32", "i32"], result: "i32" },
  pollAside: {
    name: "poll",
    parameters: ["buffer", "u32", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const;

const symbols = {
  ...pollSymbols,
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
} as const;

export const POLLIN = 1;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 16;
export const POLLNVAL = 32;

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

/** `struct pollfd`: int fd, short events, short revents. */
export const POLLFD_SIZE = 8;

/** A set of descriptors to wait for; slot 0 is the poller's own eventfd. */
export class Poller {
  readonly #c = openLibc(symbols);
  readonly #wakeFd: number;
  readonly #slots: Uint8Array<ArrayBuffer>;
  /** All slots but the poller's own: who could wake us runs in this thread, not beside it. */
  readonly #others: Deno.PointerValue;
  readonly #fds: Int32Array;
  readonly #events: Int16Array;
  readonly #counter = new Uint8Array(8);
  #count = 1;

  /** `capacity` bounds how many descriptors can be waited for at once. */
  constructor(readonly libc: Libc, readonly capacity: number) {
    this.#slots = new Uint8Array((capacity + 1) * POLLFD_SIZE);
    this.#others = pointerTo(this.#slots.subarray(POLLFD_SIZE));
    this.#fds = new Int32Array(this.#slots.buffer);
    this.#events = new Int16Array(this.#slots.buffer);
    this.#wakeFd = libc.check(this.#c.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    this.#fds[0] = this.#wakeFd;
    this.#events[2] = POLLIN;
  }

  /** Empties the set, before it is filled anew for the next wait. */
  clear(): void {
    this.#count = 1;
  }

  /** Adds a descriptor and returns its slot. */
  add(fd: number, events: number): number {
    if (this.#count > this.capacity) throw new RangeError("too many descriptors to wait for");
    const slot = this.#count++;
    this.#fds[slot * 2] = fd;
    this.#events[slot * 4 + 2] = events;
    this.#events[slot * 4 + 3] = 0;
    return slot;
  }

  /** What the last wait found for a slot: POLLIN and so on. */
  found(slot: number): number {
    return this.#events[slot * 4 + 3]!;
  }

  /**
   * Waits in this thread, at most `timeoutMs` (0: only looks). Returns how many slots are ready; 0
   * also when a signal came, which the event loop should then be given time for. What
   * {@linkcode wake} was called for before is found by {@linkcode aside} only.
   */
  now(timeoutMs: number): number {
    return this.#look(this.#others, this.#count - 1, timeoutMs);
  }

  #look(slots: Deno.PointerValue, count: number, timeoutMs: number): number {
    let ready = this.#c.poll(slots, count, timeoutMs);
    if (ready >= 0) return ready;
    if (this.libc.errno === Errno.EINTR) return this.#nothing();
    // The runtime may have done something of its own since, and left its errno there: what cannot be
    // waited for cannot be looked at either.
    ready = this.#c.poll(slots, count, 0);
    if (ready >= 0) return ready;
    const { errno } = this.libc;
    throw this.libc.error("poll", undefined, errno);
  }

  /** Waits beside the event loop; -1 waits until something happens. */
  async aside(timeoutMs: number): Promise<number> {
    const ready = await this.#c.pollAside(this.#slots, this.#count, timeoutMs);
    // A failure in another thread leaves its reason there: here it is told, if it lasts.
    return this.#drained(ready < 0 ? this.#look(pointerTo(this.#slots), this.#count, 0) : ready);
  }

  /** Ends the wait that goes on, or the next one. May be called at any time. */
  wake(): void {
    this.#counter.fill(0);
    this.#counter[0] = 1;
    this.#c.write(this.#wakeFd, this.#counter, this.#counter.length);
  }

  #drained(ready: number): number {
    if (ready === 0 || this.found(0) === 0) return ready;
    this.#c.read(this.#wakeFd, this.#counter, this.#counter.length);
    return ready - 1;
  }

  #nothing(): number {
    for (let slot = 0; slot < this.#count; slot++) this.#events[slot * 4 + 3] = 0;
    return 0;
  }
}

/**
 * Waits in this thread for one descriptor, -1 for as long as it takes. A descriptor in which something
 * is wrong counts as ready: whoever uses it learns what.
 */
export function waitFor(fd: number, events: number, timeoutMs: number): boolean {
  const slot = new Uint8Array(POLLFD_SIZE);
  new Int32Array(slot.buffer, 0, 1)[0] = fd;
  new Int16Array(slot.buffer, 4, 1)[0] = events;
  return openLibc(pollSymbols).poll(pointerTo(slot), 1, timeoutMs) > 0;
}
