// A command line that cannot be obeyed.

export class UsageError extends Error {
  override name = "UsageError";
  constructor(
    message: string,
    readonly details: {
      /** Words as they stand, without the program's prefix: getopt's own messages. */
      bare?: boolean;
      /** The usage text follows on stderr. */
      usage?: boolean;
      /** 1 where none is given. */
      exitCode?: number;
    } = {},
  ) {
    super(message);
  }
}
