// The words of swtpm_setup as values. What depends on the configuration or on what is there already is
// wish.ts' affair.
import { getopt } from "../../cli/getopt.ts";
import { toolOptions } from "../../cli/tool_options.ts";
import { UsageError } from "../../cli/usage_error.ts";

/** Options that are said to be of no use. */
const DEPRECATED: Readonly<Record<string, string>> = {
  "swtpm_ioctl": "Warning: --swtpm_ioctl is deprecated and has no effect.",
  "tcsd-system-ps-file": "Warning: --tcsd-system-ps-file is deprecated and has no effect.",
};

/** What the words say, by options' names; the last one counts. */
export interface SetupWords {
  has(name: string): boolean;
  text(name: string): string | undefined;
  /** A descriptor's number. Throws {@linkcode UsageError}. */
  descriptor(name: string): number | undefined;
  /** Banks of all `--pcr-banks`. */
  readonly pcrBanks: string | undefined;
  /** Which of both was said; `--not-overwrite` wins. */
  readonly overwrite: boolean;
}

/**
 * Reads the words, up to what is done at once: "help", "version" and `--create-config-files`. `warn`
 * is told what is of no use. Throws {@linkcode UsageError}.
 */
export function readWords(
  words: readonly string[],
  program: string,
  warn: (message: string) => void,
): SetupWords | "help" | "version" {
  const given = new Map<string, string>();
  const banks: string[] = [];
  for (const step of getopt(withOptionalArgument(words), toolOptions("setup"), { program })) {
    if (step.kind === "error") throw step.error;
    if (step.kind === "operand") continue;
    const { name, argument } = step;
    if (name === "help" || name === "version") return name;
    const warning = DEPRECATED[name];
    if (warning !== undefined) warn(warning);
    if (name === "pcr-banks") banks.push(argument.trim());
    given.set(name === "tpmstate" ? "tpm-state" : name, argument);
    if (name === "create-config-files") break;
  }
  return {
    has: (name) => given.has(name),
    text: (name) => given.get(name),
    descriptor: (name) => {
      const text = given.get(name);
      if (text === undefined) return undefined;
      if (/^\d{1,9}$/.test(text)) return Number(text);
      throw new UsageError(`Invalid file descriptor '${text}'`);
    },
    pcrBanks: banks.join(",").replaceAll(",", "").trim() === "" ? undefined : banks.join(","),
    overwrite: given.has("overwrite"),
  };
}

/** `--create-config-files` takes the next word where that is no option. */
function withOptionalArgument(words: readonly string[]): string[] {
  const result: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (!/^--create-c[a-z-]*$/.test(word)) {
      result.push(word);
      continue;
    }
    const next = words[at + 1];
    const taken = next !== undefined && !next.startsWith("-");
    if (taken) at++;
    result.push(`${word}=${taken ? next : ""}`);
  }
  return result;
}
