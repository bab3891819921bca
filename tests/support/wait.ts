// Bounded waiting for tests: until a condition holds, or for a promise, each with a deadline
// and a message that says what was waited for. Leaves what to wait for to its callers.

/** How long tests wait for things that take milliseconds, and seconds on a machine under load. */
export const PATIENCE_MS = 30_000;

/** Pause between two looks at a condition nobody announces. */
const LOOK_AGAIN_MS = 2;

/** Thrown when something did not happen in time; the message names it. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/** Resolves after `ms`; for spacing out what is sent, never for hoping that something is done. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Looks at `condition` until it gives something other than `undefined` or `false`, and returns
 * that. Throws TimeoutError, naming `what`, after `timeoutMs`.
 */
export async function waitUntil<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) {
      throw new TimeoutError(`waited ${timeoutMs} ms in vain for ${what}`);
    }
    await pause(LOOK_AGAIN_MS);
  }
}

/** Marks the end of the time in `orLate`; never a value of the promise it races with. */
export const LATE = Symbol("late");

/** The promise's value, or LATE when `timeoutMs` pass first. The promise is not disturbed. */
export async function orLate<T>(promise: Promise<T>, timeoutMs: number): Promise<T | typeof LATE> {
  let timer: number | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), Math.max(0, timeoutMs));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The promise's value; throws TimeoutError, naming `what`, when `timeoutMs` pass first. */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const value = await orLate(promise, timeoutMs);
  if (value === LATE) throw new TimeoutError(`waited ${timeoutMs} ms in vain for ${what}`);
  return value;
}
