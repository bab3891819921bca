// What a TPM says when it refuses a command, as an error for whoever has sent it.

import type { AnyDeclaration } from "../command.ts";
import { type Result, resultOf } from "../results.ts";

/** The TPM has refused a command. */
export class CommandError extends Error {
  override name = "CommandError";
  readonly result: Result;

  constructor(readonly command: AnyDeclaration, code: number) {
    const result = resultOf(code);
    super(`${command.name}: ${result.name}: ${result.meaning}`);
    this.result = result;
  }
}

/** Whether the TPM has refused a command with this code. */
export function isRefusal(error: unknown, code: number): error is CommandError {
  return error instanceof CommandError && error.result.code === code;
}
