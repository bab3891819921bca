// One command line's options after getopt: raw words by name, structured ones parsed on demand,
// every error with the log that it belongs into.
import type { LogConfig } from "../daemon/log.ts";
import { type Given, type Names, parseParameters } from "./grammar.ts";
import { parameters, type StructuredOption } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** What the command line is read against. */
export interface Surroundings {
  names: Names;
  /** An environment variable. */
  variable(name: string): string | undefined;
}

/** What an option's word is in error messages; it is the option's name where none is given. */
const words: Partial<Record<StructuredOption, string>> = {
  log: "logging",
  "migration-key": "key",
};

/** The options of one command line: the last of each counts. */
export class Line {
  readonly #given = new Map<string, string>();

  constructor(
    given: readonly { name: string; argument: string }[],
    private readonly surroundings: Surroundings,
    /** Set once the log's own option was understood. */
    public log: LogConfig | undefined = undefined,
  ) {
    for (const { name, argument } of given) this.#given.set(name, argument);
  }

  has(name: string): boolean {
    return this.#given.has(name);
  }

  text(name: string): string | undefined {
    return this.#given.get(name);
  }

  variable(name: string): string | undefined {
    return this.surroundings.variable(name);
  }

  structured<N extends StructuredOption>(name: N): Given<typeof parameters[N]> | undefined {
    const argument = this.#given.get(name);
    if (argument === undefined) return undefined;
    return this.checked(() =>
      parseParameters(words[name] ?? name, argument, parameters[name], this.surroundings.names)
    );
  }

  /** Runs a check whose error belongs into the log that the command line asks for. */
  checked<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(error.message, { ...error.details, log: this.log });
    }
  }

  refuse(message: string): never {
    throw new UsageError(message, { log: this.log });
  }
}
