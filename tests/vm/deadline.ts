// One bounded wait: a promise, a limit, and what to show a reader when the limit passes.
// What the evidence is (console, log, standard error) is the caller's knowledge.

/** Gives the text that explains a failure, such as the tail of a console. */
export type Evidence = () => string;

/** Waits for `work` at most `limitMs`; past that, fails with what was awaited and the evidence. */
export async function within<T>(
  limitMs: number,
  awaited: string,
  work: Promise<T>,
  evidence: Evidence,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`waited ${limitMs} ms for ${awaited}\n${evidence()}`)),
      limitMs,
    );
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits until `condition` holds, for what has no event to wait on, such as a socket that another
 * process binds. Looks first after 1 ms, then at growing distances. What it throws ends the wait.
 */
export async function until(
  limitMs: number,
  awaited: string,
  condition: () => Promise<boolean>,
  evidence: Evidence,
): Promise<void> {
  const end = performance.now() + limitMs;
  for (let pauseMs = 1; !await condition(); pauseMs = Math.min(pauseMs * 2, 50)) {
    if (performance.now() > end) {
      throw new Error(`waited ${limitMs} ms for ${awaited}\n${evidence()}`);
    }
    await new Promise((done) => setTimeout(done, pauseMs));
  }
}

/** The end of a text file, or why it could not be read; long enough to hold a kernel's panic. */
export function fileTail(path: string, lengthMax = 3000): string {
  try {
    return `--- end of ${path}\n${Deno.readTextFileSync(path).slice(-lengthMax)}`;
  } catch (error) {
    return `--- ${path}: ${error instanceof Error ? error.message : error}`;
  }
}
