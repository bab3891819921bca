// swtpm_setup.conf: where it is, and what it says for what no option says.
import { UsageError } from "../../cli/usage_error.ts";
import type { System } from "../../daemon/system.ts";
import { SystemError } from "../../ffi/libc.ts";
import { KeyValues } from "../certificates/key_values.ts";
import { configFolder } from "../certificates/local_user.ts";
import { TextFiles } from "../certificates/text_files.ts";

const NAME = "swtpm_setup.conf";

/**
 * The values of `given`, or of the file that is found. Without a configuration there are none:
 * certificates are then made here. Throws {@linkcode UsageError} for a given file.
 */
export function readConfiguration(
  system: System,
  given: string | undefined,
  variable: (name: string) => string | undefined,
  userName: string,
): { values: KeyValues; file: string | undefined } {
  const texts = new TextFiles(system.files);
  const own = configFolder(variable);
  const candidates = given !== undefined
    ? [given]
    : [...(own === undefined ? [] : [`${own}/${NAME}`]), `/etc/${NAME}`];
  for (const file of candidates) {
    try {
      return { values: new KeyValues(texts.read(file), variable), file };
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (given === undefined) continue;
      throw new UsageError(`User ${userName} cannot read config file ${file}.`);
    }
  }
  return { values: new KeyValues("", variable), file: undefined };
}
