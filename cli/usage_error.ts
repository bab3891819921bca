// A command line that cannot be obeyed.
import type { LogConfig } from "../daemon/log.ts";

export class UsageError extends Error {
  override name = "UsageError";
  constructor(
    message: string,
    readonly details: {
      /** Words as they stand, without the program's prefix: getopt's own messages. */
      bare?: boolean;
      /** The usage text follows on stderr. */
      usage?: boolean;
      /** The log that the command line asks for, where the error belongs. */
      log?: LogConfig | undefined;
      exitCode?: number;
    } = {},
  ) {
    super(message);
  }
}
