// The lines `key = value` of the family's configuration files: swtpm_setup.conf, swtpm-localca.conf.

/** A file's lines, and the environment that `${NAME}` in a value is taken from. */
export class KeyValues {
  readonly #lines: readonly string[];

  constructor(text: string, private readonly variable: (name: string) => string | undefined) {
    this.#lines = text.split("\n");
  }

  /**
   * The value in the first line with that key: without a comment (`#`), without blanks around it.
   * Undefined where there is none, or it is empty.
   */
  get(key: string): string | undefined {
    for (const line of this.#lines) {
      if (!line.startsWith(key)) continue;
      const value = /^[ \t]*=[ \t]*([^#]*)/.exec(line.slice(key.length))?.[1];
      if (value !== undefined) return this.#resolved(value.trimEnd()) || undefined;
    }
    return undefined;
  }

  /** All lines `env:NAME = value`; a value is the rest of its line. */
  variables(): readonly (readonly [string, string])[] {
    return this.#lines.flatMap((line) => {
      const [, name, value] = /^env:([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, this.#resolved(value!)] as const];
    });
  }

  #resolved(value: string): string {
    return value.replace(/\$\{([^}]*)\}/g, (_, name: string) => this.variable(name) ?? "");
  }
}
