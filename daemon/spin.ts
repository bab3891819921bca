// How often to look for the next command without sleeping: a wake-up across processors costs more
// than most commands. It learns from how often that paid.

/** Looks per try: at about 0.25 us each this is some 50 us, twice a wake-up across processors. */
const LOOKS = 200;
/**
 * One look is always worth it: a client on the same processor often runs as soon as it has its
 * answer, and its next command is there before we could sleep.
 */
const LOOKS_PAUSED = 1;
/** Tries in vain, one after the other, until it pauses. */
const PATIENCE = 4;
/** Longest pause in commands, so that a client that changes its habit is noticed. */
const PAUSE_MAX = 1024;

export class Spin {
  #misses = 0;
  #pause = 0;
  #left = 0;
  #looks = LOOKS_PAUSED;

  /**
   * On a machine with one processor the client cannot send while we look. When only this process
   * and its client share one, looking fails every time, which is soon learnt.
   */
  constructor(private readonly processors: number) {}

  /** How often to look now. */
  looks(): number {
    this.#looks = this.processors < 2 || this.#left > 0 ? LOOKS_PAUSED : LOOKS;
    if (this.#left > 0) this.#left--;
    return this.#looks;
  }

  /** The next command came after so many looks in vain; after none, it would have come anyway. */
  found(before: number): void {
    if (before === 0) return;
    this.#misses = 0;
    this.#pause = 0;
  }

  /** It did not come. */
  missed(): void {
    if (this.#looks === LOOKS_PAUSED || ++this.#misses < PATIENCE) return;
    this.#pause = Math.min(PAUSE_MAX, Math.max(PATIENCE, this.#pause * 2));
    this.#left = this.#pause;
  }
}
