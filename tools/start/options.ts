// The words of `swtpm start` as values.
import type { Surroundings } from "../../cli/line.ts";
import { readToolLine } from "../../cli/tool_line.ts";
import { type TpmOptions, tpmOptions } from "../own_tpm/options.ts";

export interface StartOptions {
  tpm: TpmOptions;
  json: boolean;
  githubEnv: boolean;
}

/** "help" when the page is asked for. Throws UsageError. */
export function startOptions(
  words: readonly string[],
  surroundings: Surroundings,
): StartOptions | "help" {
  const read = readToolLine("start", words, surroundings, "none");
  if (read === "help") return read;
  const { line } = read;
  return { tpm: tpmOptions(line, true), json: line.has("json"), githubEnv: line.has("github-env") };
}
