// A password from the forms in which the tools take one: `pass:P`, `fd:N`, `file:F`, `env:NAME`, or as
// it is.
import { UsageError } from "../../cli/usage_error.ts";
import { type Files, O } from "../../ffi/files.ts";
import { explained } from "./explained.ts";

/** In bytes, as the C program has it. */
const PASSWORD_MAX = 255;
const FD_MAX = 0x7fffffff;

/** Throws {@linkcode UsageError} with the C program's messages. */
export function readPassword(
  files: Files,
  variable: (name: string) => string | undefined,
  text: string,
): string {
  const [, form, rest] = /^(pass|fd|file|env):(.*)$/s.exec(text) ?? [];
  switch (form) {
    case "pass":
      return rest!;
    case "fd": {
      const fd = /^\d+$/.test(rest!) ? Number(rest) : NaN;
      if (!(fd <= FD_MAX)) throw new UsageError("Bad file descriptor for password.");
      return readFrom(files, fd, "Could not read password from file descriptor");
    }
    case "file": {
      const fd = explained(
        "Could not open password file for reading",
        () => files.open(rest!, O.RDONLY),
      );
      try {
        return readFrom(files, fd, "Could not read password from file");
      } finally {
        files.close(fd);
      }
    }
    case "env": {
      const value = variable(rest!);
      if (value === undefined) {
        throw new UsageError("Could not get password from environment variable");
      }
      return value;
    }
    default:
      return text;
  }
}

function readFrom(files: Files, fd: number, failure: string): string {
  const bytes = explained(failure, () => files.readAll(fd, PASSWORD_MAX));
  if (bytes.length > PASSWORD_MAX) {
    throw new UsageError(`${failure}: it has more than ${PASSWORD_MAX} bytes`);
  }
  return new TextDecoder().decode(bytes).replace(/\0.*$/s, "").replace(/\r?\n$/, "");
}
