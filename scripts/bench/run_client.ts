// Starts the benchmark's client as a process of its own, bound to its processors, and reads what it
// found. What it does stands in client.ts.

import { fileURLToPath } from "node:url";
import { lastLines, runCommand } from "../command.ts";
import type { Job, Results } from "./jobs.ts";

const CLIENT = fileURLToPath(new URL("client.ts", import.meta.url));

/** Runs one job to its end. */
export async function runClient<K extends Job["kind"]>(
  job: Extract<Job, { kind: K }>,
  timeLimitMs: number,
): Promise<Results[K]> {
  return await runBound(CLIENT, job.processors, job, timeLimitMs) as Results[K];
}

/** Runs a script with a value for it, bound to processors; gives the value that it writes. */
export async function runBound(
  script: string,
  processors: readonly number[],
  value: unknown,
  timeLimitMs: number,
): Promise<unknown> {
  const words = ["-c", processors.join(), Deno.execPath(), "run", "--quiet", "-A", script];
  const result = await runCommand("taskset", [...words, JSON.stringify(value)], { timeLimitMs });
  if (!result.success) {
    throw new Error(`the client failed, ${result.ending}: ${lastLines(result.output, 20)}`);
  }
  return JSON.parse(result.stdout);
}
