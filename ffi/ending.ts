// How a child process ended, as waitpid(2) tells it. Waiting is left to spawn.ts.

/** With an exit code, or by a signal. */
export type Ending = { code: number } | { signal: number };

/** What a status word says; the child is one that has ended, not one that was stopped. */
export function endingOf(status: number): Ending {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff } : { signal };
}
