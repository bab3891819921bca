// Rings while this thread looks at one descriptor alone, or sleeps in it: for input on others, by
// SIGIO (signal-driven I/O, fcntl(2)), for signals that the event loop has to be given a turn for, and
// when a sleep has lasted long enough. All of them end a call that sleeps; whether it rang is a look
// into memory.
//
// A limit that a socket has by itself (SO_RCVTIMEO) has the kernel start and stop a timer in each
// call, a twentieth of what a short command takes. The alarm is set once for many.
import type { Alarm } from "./alarm.ts";
import { openLibc } from "./libc.ts";
import type { SignalNote } from "./signal_note.ts";

const symbols = {
  /** int fcntl(int fd, F_SETOWN_EX, const struct f_owner_ex *) */
  fcntl: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  /** int ioctl(int fd, FIOASYNC, int *on) */
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
} as const;

const F_SETOWN_EX = 15;
const F_OWNER_TID = 0;
const FIOASYNC = 0x5452n;

/** How long a sleep may last that nothing else ends. */
const SLEEP_MS = 50;

export class Bell {
  readonly #c = openLibc(symbols);
  /** Whether it goes off by and by. */
  #running = false;
  /** Whether it was set since {@linkcode renew}. */
  #limited = false;

  /**
   * What SIGIO leaves in `input`, and in `heard` the signals that the runtime tells of; `alarm` sends
   * SIGIO.
   */
  constructor(
    private readonly input: SignalNote["words"],
    private readonly heard: SignalNote["words"],
    private readonly alarm: Pick<Alarm, "set">,
  ) {}

  /** Whether it rang: since {@linkcode still}, or for a signal that is not told of yet. */
  get rang(): boolean {
    return this.input[1] !== 0 || this.heard[1] !== 0;
  }

  /** Whether a signal came that the event loop has not told of yet. */
  get signalled(): boolean {
    return this.heard[1] !== 0;
  }

  /** Whether a sleep has lasted its time; a process that sends SIGIO shortens it. */
  get isOver(): boolean {
    return this.input[0] !== 0;
  }

  /** Before all descriptors are looked at: what comes from now on rings again. */
  still(): void {
    this.input[0] = 0;
    this.input[1] = 0;
  }

  /**
   * Before a sleep: it rings {@linkcode SLEEP_MS} after the first one since {@linkcode renew}, and
   * again and again then, for a sleep that had not begun. False where that cannot be had.
   */
  limitSleep(): boolean {
    if (!this.#limited) this.#limited = this.#running = this.alarm.set(SLEEP_MS);
    return this.#limited;
  }

  /** Sleeps may last that long again. */
  renew(): void {
    this.#limited = false;
  }

  /** Nobody sleeps where it would have to ring. */
  rest(): void {
    if (this.#running) this.alarm.set(0);
    this.#limited = this.#running = false;
  }

  /** The event loop has told of a signal. */
  told(): void {
    this.heard[1] = 0;
  }

  /**
   * Has input on a socket ring from now on. A kernel that cannot do that leaves it to the limit that
   * sleeps have.
   */
  hang(fd: number): void {
    // The thread that the loop runs in is the process' first one.
    const owner = new Uint8Array(Int32Array.of(F_OWNER_TID, Deno.pid).buffer);
    const on = new Uint8Array(Int32Array.of(1).buffer);
    if (this.#c.fcntl(fd, F_SETOWN_EX, owner) === 0) this.#c.ioctl(fd, FIOASYNC, on);
  }
}
