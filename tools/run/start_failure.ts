// Why COMMAND could not be started, for whoever wrote the line: what is wrong with the file that was
// meant, what to do about it, and the exit code that shells, env(1) and timeout(1) have for it.
import { explain } from "../../daemon/output/explain.ts";
import type { System } from "../../daemon/system.ts";
import { Errno, SystemError } from "../../ffi/libc.ts";

const NOT_FOUND = 127;
const NOT_STARTED = 126;

const EXECUTE_BITS = 0o111;

export interface StartFailure {
  exitCode: number;
  message: string;
}

/** `program` is COMMAND's first word, as it was given. */
export function startFailure(
  system: Pick<System, "files" | "users">,
  program: string,
  error: unknown,
): StartFailure {
  const errno = error instanceof SystemError ? error.errno : undefined;
  const exitCode = errno === Errno.ENOENT || errno === Errno.ENOTDIR ? NOT_FOUND : NOT_STARTED;
  const reason = reasonFor(system, program, errno) ?? explain(system, error);
  return { exitCode, message: `COMMAND could not be started: ${reason}` };
}

function reasonFor(
  { files }: Pick<System, "files">,
  program: string,
  errno: number | undefined,
): string | undefined {
  if (program === "") return "its name is empty";
  if (errno === Errno.ENOEXEC) {
    return `'${program}' is neither a program of this machine nor a script ` +
      "(the first line of a script is like '#!/bin/sh')";
  }
  if (!program.includes("/")) {
    return errno === Errno.ENOENT ? `there is no '${program}' in PATH` : undefined;
  }
  const status = statusOf(files, program);
  if (errno === Errno.ENOENT) {
    return status === undefined
      ? `there is no '${program}'`
      : `the interpreter that the first line of '${program}' names is not there`;
  }
  if (status?.kind === "directory") return `'${program}' is a directory`;
  if (status !== undefined && (status.mode & EXECUTE_BITS) === 0) {
    return `'${program}' is not executable ('chmod +x ${program}' makes it so)`;
  }
  return undefined;
}

function statusOf(files: System["files"], path: string) {
  try {
    return files.statusOf(path);
  } catch {
    return undefined; // what keeps us from looking is what kept us from starting it
  }
}
