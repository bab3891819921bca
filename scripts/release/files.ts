// What the steps of a release do with files: programs of the system that must succeed, and times that
// are the same in each build.

import { lastLines, runCommand } from "../command.ts";

/** Runs a program of the system; throws with what it said when it fails. */
export async function mustRun(
  program: string,
  words: readonly string[],
  timeLimitMs: number,
  env: Record<string, string> = {},
): Promise<string> {
  const result = await runCommand(program, words, { timeLimitMs, env: { LC_ALL: "C", ...env } });
  if (result.success) return result.stdout;
  throw new Error(`"${program}" failed, ${result.ending}:\n${lastLines(result.output, 20)}`);
}

/** Gives all below `folder` this time. */
export function setTimes(folder: string, time: Date): void {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    // A link's own time nobody can set here: dpkg-deb takes none that is later than the release's.
    if (entry.isSymlink) continue;
    if (entry.isDirectory) setTimes(path, time);
    Deno.utimeSync(path, time, time);
  }
}
