// Keeps TPMs from a state while it is copied, by the lock that they take themselves. Nothing that is
// there is changed; a directory gets the file with the lock if it has none.
import type { System } from "../../daemon/system.ts";
import { type Files, O, UNKNOWN_HOLDER } from "../../ffi/files.ts";
import { SystemError } from "../../ffi/libc.ts";
import { lockedBy, lockRefused, StateError } from "../../state/error.ts";
import { LOCK_NAME } from "../../state/file_names.ts";
import type { LastingPlace } from "../own_tpm/stored.ts";

const LOCK_MODE = 0o660;

/** Given back when it is disposed of. Until then no descriptor of that file may be closed. */
export function lockSource({ files }: System, { kind, path }: LastingPlace): Disposable {
  const lock = kind === "directory" ? `${path}/${LOCK_NAME}` : path;
  const fd = openLock(files, kind, lock);
  if (fd === undefined) return { [Symbol.dispose]() {} };
  try {
    const holder = files.accessMode(fd) === O.RDONLY
      ? files.lockHolder(fd, lock) // nobody can take it here
      : taken(files, fd, lock);
    if (holder !== undefined) throw new StateError(`'${lock}' ${lockedBy(holder)}`);
  } catch (error) {
    files.close(fd);
    throw lockRefused(error, lock, `dir=${path},lock=false`);
  }
  return { [Symbol.dispose]: () => files.close(fd) };
}

/** Undefined once we have it, else who does. */
function taken(files: Files, fd: number, lock: string): number | undefined {
  const outcome = files.lock(fd, lock);
  return outcome.taken ? undefined : outcome.holder ?? UNKNOWN_HOLDER;
}

/** Undefined where no TPM can run, as nothing can be written and nothing is there to lock. */
function openLock(files: Files, kind: LastingPlace["kind"], lock: string): number | undefined {
  try {
    if (kind === "directory") {
      return files.open(lock, O.WRONLY | O.CREAT | O.NOFOLLOW, LOCK_MODE);
    }
    return files.open(lock, O.RDWR | O.NONBLOCK);
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== "EROFS") throw error;
  }
  if (files.statusOf(lock) === undefined) return undefined;
  return files.open(lock, O.RDONLY | O.NONBLOCK);
}
