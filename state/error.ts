// What can be wrong with stored state, as one error with the TPM result that clients get for it.
import { TpmResultError } from "../ffi/callbacks.ts";
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
