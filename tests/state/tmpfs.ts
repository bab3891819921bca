// A program with a small file system of its own: a tmpfs that only it sees, in a mount namespace
// that ends with it, so that nothing stays mounted whatever happens to the test. Needs root.

import { type Outcome, run } from "../support/process.ts";
import { plainProgram, type Program } from "../support/programs.ts";

/** The program, with a tmpfs of `kibibytes` mounted on `folder`. */
export function withTmpfs(program: Program, folder: string, kibibytes: number): Program {
  const script = 'mount -t tmpfs -o "size=$1k" none "$2" && shift 2 && exec "$@"';
  return {
    ...program,
    name: `${program.name} with a tmpfs`,
    command: "unshare",
    args: [
      ...["--mount", "sh", "-c", script, "with-tmpfs", String(kibibytes), folder],
      ...[program.command, ...program.args],
    ],
  };
}

/** A path as the process sees it. */
export function seenBy(pid: number, path: string): string {
  return `/proc/${pid}/root${path}`;
}

/** Takes the last free byte of the file system of `folder`; returns the file that holds it. */
export function fill(folder: string, leavingKibibytes = 0): string {
  const path = `${folder}/filler`;
  using file = Deno.openSync(path, { create: true, write: true, append: true });
  const page = new Uint8Array(4096);
  let pages = 0;
  try {
    for (;; pages++) file.writeSync(page);
  } catch (error) {
    if (!String(error).includes("No space left")) throw error;
  }
  Deno.truncateSync(path, Math.max(0, pages * page.length - leavingKibibytes * 1024));
  return path;
}

/** Mounts the file system of `folder` anew for the process: read-only or not. */
export async function remount(pid: number, folder: string, how: "ro" | "rw"): Promise<void> {
  const nsenter = plainProgram("nsenter", "/usr/bin/nsenter");
  const outcome: Outcome = await run(nsenter, [
    ...["--mount", "--target", String(pid)],
    ...["mount", "-o", `remount,${how}`, folder],
  ]);
  if (outcome.code !== 0) throw new Error(`remounting "${folder}" ${how}: ${outcome.stderr}`);
}
