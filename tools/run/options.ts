// The words of `swtpm run` as values. Options end where COMMAND begins.
import type { Surroundings } from "../../cli/line.ts";
import { readToolLine } from "../../cli/tool_line.ts";
import { type TpmOptions, tpmOptions } from "../own_tpm/options.ts";

export interface RunOptions {
  tpm: TpmOptions;
  json: boolean;
  keepOnFailure: boolean;
  /** COMMAND and its arguments. */
  command: readonly string[];
}

/** "help" when the page is asked for. Throws UsageError. */
export function runOptions(
  words: readonly string[],
  surroundings: Surroundings,
): RunOptions | "help" {
  const read = readToolLine("run", words, surroundings, "command");
  if (read === "help") return read;
  const { line, operands: command } = read;
  return {
    tpm: tpmOptions(line),
    json: line.has("json"),
    keepOnFailure: line.has("keep-on-failure"),
    command,
  };
}
