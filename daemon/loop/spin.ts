// How to wait for a client's next command: by looking again and again, as a wake-up across
// processors costs more than most commands; asleep in its channel, which is one call of the kernel
// less than asking for it together with all others; or not at all. It learns from what paid.

/** Looks per try: at about 0.25 us each this is some 50 us, twice a wake-up across processors. */
const LOOKS = 200;
/** As long as that is in time: before V8 has compiled what looks, one takes 2 us. */
const LOOKS_MS = 0.05;
/** The clock is read every so many looks. */
const CLOCK_EVERY = 16;
/** Tries in vain, one after the other, until it pauses. */
const PATIENCE = 4;
/** Shortest pause in commands of waiting in the channel: others wait for each try in vain. */
const SLEEP_PAUSE_MIN = 8;
/** Longest pause in commands, so that a client that changes its habit is noticed. */
const PAUSE_MAX = 4096;

/** Instead of a number of looks: wait for the command in its channel. */
export const ASLEEP = 0;

export class Spin {
  /** What was said last: {@linkcode ASLEEP}, 1, or {@linkcode LOOKS}. */
  #looks = 1;
  /** When looking has taken long enough (performance.now()). */
  #until = 0;
  #misses = 0;
  readonly #lookPause = new Pause(PATIENCE);
  readonly #sleepPause = new Pause(SLEEP_PAUSE_MIN);

  /**
   * On a machine with one processor the client cannot send while we look. When only this process
   * and its client share one, looking fails every time, which is soon learnt.
   */
  constructor(private readonly processors: number) {}

  /** How often to look now, or {@linkcode ASLEEP}. */
  looks(): number {
    if (this.processors > 1 && this.#lookPause.over()) this.#looks = LOOKS;
    else this.#looks = this.#sleepPause.over() ? ASLEEP : 1;
    return this.#looks;
  }

  /** Whether to go on after so many looks in vain. */
  goesOn(looked: number): boolean {
    if (looked >= this.#looks) return false;
    if (looked % CLOCK_EVERY !== 0) return true;
    const now = performance.now();
    if (looked === CLOCK_EVERY) this.#until = now + LOOKS_MS;
    return now < this.#until;
  }

  /** The next command came after so many looks in vain; after none, it would have come anyway. */
  found(before: number): void {
    if (this.#looks === ASLEEP) this.#sleepPause.forget();
    if (before === 0 || this.#misses === 0) return;
    // On one processor looking finds something only when the scheduler took it away meanwhile:
    // once is no reason to go on.
    this.#misses--;
    if (this.#misses === 0) this.#lookPause.forget();
  }

  /** It did not come. */
  missed(): void {
    if (this.#looks === ASLEEP) this.#sleepPause.begin();
    if (this.#looks !== LOOKS) return;
    this.#misses = Math.min(PATIENCE, this.#misses + 1);
    if (this.#misses === PATIENCE) this.#lookPause.begin();
  }
}

/** So many commands without another try: twice as many after each one in vain. */
class Pause {
  #length = 0;
  #left = 0;

  constructor(private readonly min: number) {}

  /** Whether it is; if not, one more command of it has come. */
  over(): boolean {
    if (this.#left === 0) return true;
    this.#left--;
    return false;
  }

  begin(): void {
    this.#length = Math.min(PAUSE_MAX, Math.max(this.min, this.#length * 2));
    this.#left = this.#length;
  }

  /** The next one is the shortest again. */
  forget(): void {
    this.#length = 0;
  }
}
