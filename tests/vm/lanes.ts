// Runs jobs a few at a time, in order of the list; each lane takes the next job when it is free.

/** Runs all jobs; the first failure is thrown once the job at hand of each lane has ended. */
export async function inLanes(
  count: number,
  jobs: readonly (() => Promise<void>)[],
): Promise<void> {
  const waiting = [...jobs];
  const lane = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) await job();
  };
  const results = await Promise.allSettled(Array.from({ length: count }, lane));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
