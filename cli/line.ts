// One command line's options after getopt: raw words by name, structured ones parsed on demand.
import { type Given, type Names, parseParameters } from "./grammar.ts";
import { firstParameter, parameters, type StructuredOption } from "./parameters.ts";
import { UsageError } from "./usage_error.ts";

/** What the command line is read against. */
export interface Surroundings {
  names: Names;
  /** An environment variable. */
  variable(name: string): string | undefined;
  /** What a descriptor is that we were started with; undefined where there is none. */
  descriptor(fd: number): string | undefined;
}

/** What an option's word is in error messages; it is the option's name where none is given. */
const words: Partial<Record<StructuredOption, string>> = {
  log: "logging",
  "migration-key": "key",
  "new-key": "key",
};

/** The argument with a name before its first word, where that may have none. */
function named(argument: string, option: StructuredOption): string {
  const first = firstParameter[option];
  const name = /^[^=,]*/.exec(argument)![0];
  return first === undefined || Object.hasOwn(parameters[option], name)
    ? argument
    : `${first}=${argument}`;
}

/** The options of one command line: the last of each counts. */
export class Line {
  readonly #given = new Map<string, string>();

  constructor(
    readonly surroundings: Surroundings,
    /** Exit code of what is wrong with a structured option. */
    private readonly structuredExit = 1,
  ) {}

  set(name: string, argument: string): void {
    this.#given.set(name, argument);
  }

  has(name: string): boolean {
    return this.#given.has(name);
  }

  text(name: string): string | undefined {
    return this.#given.get(name);
  }

  structured<N extends StructuredOption>(name: N): Given<typeof parameters[N]> | undefined {
    const argument = this.#given.get(name);
    if (argument === undefined) return undefined;
    try {
      return parseParameters(
        words[name] ?? name,
        named(argument, name),
        parameters[name],
        this.surroundings.names,
      );
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(error.message, { exitCode: this.structuredExit });
    }
  }

  /** Refuses what a structured option asks for. */
  refuse(option: StructuredOption, detail: string): never {
    const message = `Error parsing ${words[option] ?? option} options: ${detail}`;
    throw new UsageError(message, { exitCode: this.structuredExit });
  }
}
