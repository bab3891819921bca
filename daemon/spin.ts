// Whether to look for the next command without pause for a moment, before sleeping: a wake-up
// across processors costs more than most commands. It learns from how often that paid.

/** Looks per try: at about 0.25 us each this is some 50 us, twice a wake-up across processors. */
const LOOKS = 200;
/** Tries in vain, one after the other, until it pauses. */
const PATIENCE = 4;
/** Longest pause in commands, so that a client that changes its habit is noticed. */
const PAUSE_MAX = 1024;

export class Spin {
  #misses = 0;
  #pause = 0;
  #left = 0;

  /**
   * On a machine with one processor the client cannot send while we look. When only this process
   * and its client share one, looking fails every time, which is soon learnt.
   */
  constructor(private readonly processors: number) {}

  /** How often to look now; 0: sleep at once. */
  looks(): number {
    if (this.processors < 2) return 0;
    if (this.#left > 0) {
      this.#left--;
      return 0;
    }
    return LOOKS;
  }

  /** The next command came while looking. */
  hit(): void {
    this.#misses = 0;
    this.#pause = 0;
  }

  missed(): void {
    if (++this.#misses < PATIENCE) return;
    this.#pause = Math.min(PAUSE_MAX, Math.max(PATIENCE, this.#pause * 2));
    this.#left = this.#pause;
  }
}
