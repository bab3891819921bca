// The grammar of getopt_long(3): abbreviations, `--x=y` and `--x y`, bundled letters, operands
// anywhere. Our own because users see its messages and its abbreviations, and no module has them.
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage_error.ts";

/** One option of an interface. */
export interface OptionShape {
  /** Long name, without the dashes. */
  name: string;
  /** Letter, without the dash. */
  letter?: string | undefined;
  /** Whether it takes an argument. */
  argument: boolean;
}

/** One word or two of a command line, understood. */
export type Given =
  | { kind: "option"; name: string; /** Empty for options that take none. */ argument: string }
  | { kind: "operand"; word: string }
  | { kind: "error"; error: UsageError };

export interface GetoptOptions {
  /** What messages begin with. */
  program: string;
  /** Options end at the first operand, and all behind it are operands (POSIXLY_CORRECT). */
  operandEnds?: boolean;
  /** Another program that has an option of this name. */
  elsewhere?: (name: string) => string | undefined;
}

/**
 * Takes a command line apart from left to right, each step when it is asked for: what an option
 * does at once happens before a later word is found wrong. Errors are glibc's, word for word, with
 * a hint where an unknown option is close to a known one.
 */
export function* getopt(
  words: readonly string[],
  shapes: readonly OptionShape[],
  { program, operandEnds = false, elsewhere }: GetoptOptions,
): Generator<Given, void> {
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      for (const operand of rest.splice(0)) yield { kind: "operand", word: operand };
    } else if (word.startsWith("--")) {
      yield longOption(word, "--", shapes, program, () => rest.shift(), elsewhere);
    } else if (word.startsWith("-") && word.length > 1) {
      yield* letters(word);
    } else {
      const operands = operandEnds ? [word, ...rest.splice(0)] : [word];
      for (const operand of operands) yield { kind: "operand", word: operand };
    }
  }

  function refused(message: string): Given {
    return refusedOption(program, message);
  }

  function* letters(word: string): Generator<Given, void> {
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!;
      const shape = shapes.find((shape) => shape.letter === letter);
      if (shape === undefined) {
        yield refused(`invalid option -- '${letter}'`);
      } else if (!shape.argument) {
        yield { kind: "option", name: shape.name, argument: "" };
      } else {
        const argument = at + 1 < word.length ? word.slice(at + 1) : rest.shift();
        if (argument === undefined) yield refused(`option requires an argument -- '${letter}'`);
        else yield { kind: "option", name: shape.name, argument };
        return;
      }
    }
  }
}

/**
 * A word that begins with `dashes` and is the name of an option or the beginning of one; `next` gives
 * the word behind it, where that is its argument.
 */
export function longOption(
  word: string,
  dashes: "-" | "--",
  shapes: readonly OptionShape[],
  program: string,
  next: () => string | undefined,
  elsewhere?: GetoptOptions["elsewhere"],
): Given {
  const equals = word.indexOf("=");
  const written = word.slice(dashes.length, equals < 0 ? undefined : equals);
  const matches = matching(shapes, written);
  const shape = matches[0];
  if (shape === undefined) {
    const other = elsewhere?.(written);
    const more = other === undefined ? hint(written, shapes) : ` (it is one of '${other}')`;
    const message = `unrecognized option '${word}'${more}`;
    return refusedOption(program, message);
  }
  if (matches.length > 1) {
    const names = matches.map(({ name }) => `'${dashes}${name}'`).join(" ");
    return refusedOption(program, `option '${word}' is ambiguous; possibilities: ${names}`);
  }
  const { name } = shape;
  const option = `option '${dashes}${name}'`;
  if (!shape.argument) {
    if (equals >= 0) return refusedOption(program, `${option} doesn't allow an argument`);
    return { kind: "option", name, argument: "" };
  }
  const argument = equals >= 0 ? word.slice(equals + 1) : next();
  if (argument === undefined) return refusedOption(program, `${option} requires an argument`);
  return { kind: "option", name, argument };
}

function refusedOption(program: string, message: string): Given {
  const error = new UsageError(`${program}: ${message}`, { bare: true, usage: true });
  return { kind: "error", error };
}

/** The option of exactly that name, or all whose names begin so. */
function matching(shapes: readonly OptionShape[], written: string): readonly OptionShape[] {
  const exact = shapes.find(({ name }) => name === written);
  return exact === undefined ? shapes.filter(({ name }) => name.startsWith(written)) : [exact];
}

function hint(written: string, shapes: readonly OptionShape[]): string {
  const near = nearest(written, shapes.map(({ name }) => name));
  return near === undefined ? "" : ` (did you mean '--${near}'?)`;
}
