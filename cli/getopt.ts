// The grammar of getopt_long(3): abbreviations, `--x=y` and `--x y`, bundled letters, operands
// anywhere. Our own because users see its messages and its abbreviations, and no module has them.

/** One option of an interface. */
export interface OptionShape {
  /** Long name, without the dashes. */
  name: string;
  /** Letter, without the dash. */
  letter?: string | undefined;
  /** Whether it takes an argument. */
  argument: boolean;
}

/** One option as it was given. */
export interface GivenOption {
  name: string;
  /** Empty for options that take none. */
  argument: string;
}

export interface Words {
  options: GivenOption[];
  operands: string[];
}

/** A command line that getopt refuses, in glibc's words. */
export class GetoptError extends Error {
  override name = "GetoptError";
  constructor(message: string, readonly word: string) {
    super(message);
  }
}

export interface GetoptOptions {
  /** What messages begin with. */
  program: string;
  /** Called in place of a throw; parsing goes on (the C program's cuse interface does so). */
  onError?: ((error: GetoptError) => void) | undefined;
}

/**
 * Sorts words into options and operands. Throws {@linkcode GetoptError} unless `onError` is given.
 */
export function getopt(
  words: readonly string[],
  shapes: readonly OptionShape[],
  { program, onError }: GetoptOptions,
): Words {
  const options: GivenOption[] = [];
  const operands: string[] = [];
  const refuse = (message: string, word: string) => {
    const error = new GetoptError(`${program}: ${message}`, word);
    if (onError === undefined) throw error;
    onError(error);
  };

  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      operands.push(...rest.splice(0));
    } else if (word.startsWith("--")) {
      long(word);
    } else if (word.startsWith("-") && word.length > 1) {
      letters(word);
    } else {
      operands.push(word);
    }
  }
  return { options, operands };

  function long(word: string): void {
    const equals = word.indexOf("=");
    const written = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const matches = matching(shapes, written);
    const shape = matches[0];
    if (shape === undefined) return refuse(`unrecognized option '--${written}'`, word);
    if (matches.length > 1) {
      const names = matches.map(({ name }) => `'--${name}'`).join(" ");
      return refuse(`option '--${written}' is ambiguous; possibilities: ${names}`, word);
    }
    if (!shape.argument) {
      if (equals >= 0) return refuse(`option '--${shape.name}' doesn't allow an argument`, word);
      options.push({ name: shape.name, argument: "" });
      return;
    }
    const argument = equals >= 0 ? word.slice(equals + 1) : rest.shift();
    if (argument === undefined) {
      return refuse(`option '--${shape.name}' requires an argument`, word);
    }
    options.push({ name: shape.name, argument });
  }

  function letters(word: string): void {
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!;
      const shape = shapes.find((shape) => shape.letter === letter);
      if (shape === undefined) {
        refuse(`invalid option -- '${letter}'`, word);
        continue;
      }
      if (!shape.argument) {
        options.push({ name: shape.name, argument: "" });
        continue;
      }
      const argument = at + 1 < word.length ? word.slice(at + 1) : rest.shift();
      if (argument === undefined) return refuse(`option requires an argument -- '${letter}'`, word);
      options.push({ name: shape.name, argument });
      return;
    }
  }
}

/** The option of exactly that name, or all whose names begin so. */
function matching(shapes: readonly OptionShape[], written: string): readonly OptionShape[] {
  const exact = shapes.find(({ name }) => name === written);
  return exact === undefined ? shapes.filter(({ name }) => name.startsWith(written)) : [exact];
}
