// Errors as users are told of them: what was tried, and what stood in the way.
import { UsageError } from "../../cli/usage_error.ts";
import { SystemError } from "../../ffi/libc.ts";

/** What the operating system refuses becomes a {@linkcode UsageError} that begins with `failure`. */
export function explained<T>(failure: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof SystemError) throw new UsageError(`${failure}: ${error.reason}`);
    throw error;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the operating system said to a function of the runtime's. */
export function systemReason(error: unknown): string {
  return messageOf(error).split(" (os error")[0]!;
}
