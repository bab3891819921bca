// The words behind a tool's name as a line of options and its operands: what all programs beside the
// emulator read alike. What their options mean is told by configuration.ts and by themselves.
import { getopt } from "./getopt.ts";
import { Line, type Surroundings } from "./line.ts";
import type { Tool } from "./programs.ts";
import { toolOptions } from "./tool_options.ts";
import { UsageError } from "./usage_error.ts";

/** Whether a tool takes operands; `command`: the first one begins a command, and options end there. */
export type Operands = "none" | "any" | "command";

export interface ToolLine {
  line: Line;
  operands: readonly string[];
}

/** Reads the words; "help" when the tool's page is asked for. Throws {@linkcode UsageError}. */
export function readToolLine(
  tool: Tool,
  words: readonly string[],
  surroundings: Surroundings,
  takes: Operands,
): ToolLine | "help" {
  const line = new Line(surroundings);
  const operands: string[] = [];
  const options = { program: tool, operandEnds: takes === "command" };
  for (const step of getopt(words, toolOptions(tool), options)) {
    if (step.kind === "error") throw step.error;
    if (step.kind === "operand") {
      if (takes === "none") throw new UsageError(`Unknown parameter '${step.word}'`);
      operands.push(step.word);
    } else if (step.name === "help") return "help";
    else line.set(step.name, step.argument);
  }
  return { line, operands };
}
