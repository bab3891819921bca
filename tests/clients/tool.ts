// Runs a real client to its end and says what went wrong when it fails. Leaves which client, and
// what it is to say, to the tests.

import assert from "node:assert/strict";
import { type Outcome, run, type StartOptions } from "../support/process.ts";
import { plainProgram, type Program } from "../support/programs.ts";

/** Key generation on a busy machine takes seconds. */
const TOOL_MS = 30_000;

/** A client's command line tools, all started in one folder with the same variables. */
export class Tools {
  readonly #options: StartOptions;
  /** The Debian package they come from, for the message when they are missing. */
  readonly #package: string;

  constructor(debianPackage: string, options: StartOptions) {
    this.#package = debianPackage;
    this.#options = options;
  }

  /** Runs a tool; returns its exit code and output, whatever they are. */
  async run(tool: string, ...args: string[]): Promise<Outcome> {
    return await this.#start(plainProgram(tool, tool), args);
  }

  /** Runs a tool that must succeed; returns its standard output. */
  async ok(tool: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(tool, ...args);
    assert.equal(code, 0, `"${[tool, ...args].join(" ")}" failed:\n${stdout}${stderr}`);
    return stdout;
  }

  async #start(program: Program, args: readonly string[]): Promise<Outcome> {
    try {
      return await run(program, args, { ...this.#options, timeoutMs: TOOL_MS });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new Error(
        `"${program.command}" is missing: install the Debian package "${this.#package}"`,
        { cause: error },
      );
    }
  }
}
