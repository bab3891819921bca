// What can be wrong with stored state, as one error with the TPM result that clients get for it.
import { TpmResultError } from "../ffi/callbacks.ts";
import { Errno, SystemError } from "../ffi/libc.ts";
import { TpmResult } from "../wire/codes.ts";

/** State that cannot be read, written or locked; the message names the file and the reason. */
export class StateError extends TpmResultError {
  override name = "StateError";
  constructor(message: string, options?: ErrorOptions & { result?: number }) {
    super(options?.result ?? TpmResult.FAIL, message, options);
  }
}

/** Who has a record lock, for messages; 0 where the kernel cannot tell. */
export function lockedBy(holder: number): string {
  const who = holder > 0 ? `process ${holder}` : "another process";
  return `is locked by ${who}; is another TPM running on this state?`;
}

/** The same for a lock that could not even be asked for; `without` are the words that go without. */
export function lockRefused(error: unknown, path: string, without: string): unknown {
  const cannot = error instanceof SystemError &&
    (error.errno === Errno.ENOLCK || error.errno === Errno.ENOSYS);
  if (!cannot) return error;
  return new StateError(
    `Could not lock access to '${path}': ${error.reason}: its file system knows no locks, or its ` +
      `lock service does not run. --tpmstate ${without} goes without one; then nothing keeps a ` +
      `second TPM from running on this state, and what one of them has stored is lost`,
    { cause: error },
  );
}
