// The grammar of getopt_long_only(3) for programs without letters: every option is a long one behind
// one dash or two, and may be abbreviated. Some take a second argument, which their program asks for.
import { type Given, longOption, type OptionShape } from "./getopt.ts";

/** A command line on its way from left to right. */
export class LongOnlyLine {
  #at = 0;

  constructor(
    private readonly words: readonly string[],
    private readonly shapes: readonly OptionShape[],
    /** What messages begin with. */
    private readonly program: string,
    /** Options end at the first operand (POSIXLY_CORRECT). */
    private readonly operandEnds = false,
  ) {}

  /** Index of the first word that was not taken. */
  get at(): number {
    return this.#at;
  }

  /** Takes the next word, whatever it is; undefined where there is none. */
  readonly take = (): string | undefined => {
    return this.#at < this.words.length ? this.words[this.#at++] : undefined;
  };

  /** Each step when it is asked for. */
  *[Symbol.iterator](): Generator<Given, void> {
    let onlyOperands = false;
    for (let word = this.take(); word !== undefined; word = this.take()) {
      if (onlyOperands || !word.startsWith("-") || word === "-") {
        onlyOperands ||= this.operandEnds;
        yield { kind: "operand", word };
      } else if (word === "--") {
        onlyOperands = true;
      } else {
        const dashes = word.startsWith("--") ? "--" : "-";
        yield longOption(word, dashes, this.shapes, this.program, this.take);
      }
    }
  }
}
