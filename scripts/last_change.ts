// When this checkout was last changed: the time that two builds of it agree on.

import { ROOT } from "./checkout.ts";
import { runCommand } from "./command.ts";

const GIT_LIMIT_MS = 10_000;

/** SOURCE_DATE_EPOCH, or the last commit. Outside of a repository it is today. */
export async function lastChange(): Promise<Date> {
  const seconds = Deno.env.get("SOURCE_DATE_EPOCH") ?? await commitTime();
  return seconds === undefined ? new Date() : new Date(Number(seconds) * 1000);
}

async function commitTime(): Promise<string | undefined> {
  try {
    const words = ["-C", ROOT, "log", "-1", "--format=%ct"];
    const git = await runCommand("git", words, { timeLimitMs: GIT_LIMIT_MS });
    return git.success && /^\d+\n$/.test(git.stdout) ? git.stdout.trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
