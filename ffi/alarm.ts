// A timer of the kernel's that sends a signal to the process' first thread, again and again, until it
// is stopped (timer_create(2)). What the signal does is left to its handler.
import { openLibc } from "./libc.ts";

const symbols = {
  /** int timer_create(clockid_t, struct sigevent *, timer_t *); not in a libc before glibc 2.34. */
  timer_create: { parameters: ["i32", "buffer", "buffer"], result: "i32", optional: true },
  /** int timer_settime(timer_t, int flags, const struct itimerspec *, struct itimerspec *old) */
  timer_settime: { parameters: ["u64", "i32", "buffer", "pointer"], result: "i32", optional: true },
} as const;

const CLOCK_MONOTONIC = 1;
const SIGEV_THREAD_ID = 4;

/** `struct sigevent` of 64-bit Linux: a value, then int signal, int notify, int thread. */
const SIGEVENT_SIZE = 64;
const Word = { SIGNAL: 2, NOTIFY: 3, THREAD: 4 } as const;

const NS_PER_MS = 1_000_000n;

export class Alarm {
  readonly #c = openLibc(symbols);
  /** timer_t, which may be 0; null where none is to be had, undefined before it was asked for. */
  #timer: bigint | null | undefined;

  /** `signal`: its number. */
  constructor(private readonly signal: number) {}

  /** Sends it every so many milliseconds from now on, or no more (0). False where that cannot be. */
  set(everyMs: number): boolean {
    if (this.#timer === undefined) this.#timer = this.#make();
    if (this.#timer === null) return false;
    // struct itimerspec: how often, and when first; seconds and nanoseconds each.
    const every = BigInt(everyMs) * NS_PER_MS;
    const times = new Uint8Array(BigInt64Array.of(0n, every, 0n, every).buffer);
    return this.#c.timer_settime?.(this.#timer, 0, times, null) === 0;
  }

  #make(): bigint | null {
    const event = new Int32Array(SIGEVENT_SIZE / Int32Array.BYTES_PER_ELEMENT);
    event[Word.SIGNAL] = this.signal;
    event[Word.NOTIFY] = SIGEV_THREAD_ID;
    event[Word.THREAD] = Deno.pid;
    const timer = new BigUint64Array(1);
    const made = new Uint8Array(timer.buffer);
    const result = this.#c.timer_create?.(CLOCK_MONOTONIC, new Uint8Array(event.buffer), made);
    return result === 0 ? timer[0]! : null;
  }
}
