// A page on a program as values: what it does, its options, variables, files, exit codes, examples.
// Here it is printed as help; scripts/man/ makes the manual page of the same.

/** What is explained, as it is typed or called, and its explanation. */
export type Row = readonly [term: string, text: string];

/** A paragraph, lines that stay as they are, or things explained one by one. */
export type Block =
  | string
  | { readonly lines: readonly string[] }
  | { readonly rows: readonly Row[] };

export interface OptionGroup {
  readonly title?: string;
  readonly rows: readonly Row[];
  /** What holds for all of them. */
  readonly note?: string;
}

/** What somebody wants, and the lines that do it. */
export interface Example {
  readonly text?: string;
  readonly lines: readonly string[];
}

export interface Page {
  /** How it is called. */
  readonly program: string;
  /** What it does, in a few words that go on from its name. */
  readonly about: string;
  /** What may stand behind its name, a form each. */
  readonly usage: readonly string[];
  readonly description: readonly Block[];
  readonly options: readonly OptionGroup[];
  /** What is to be known besides. */
  readonly notes?: readonly Block[];
  readonly environment?: readonly Row[];
  readonly files?: readonly Row[];
  readonly exit: readonly Block[];
  readonly examples?: readonly Example[];
}

const WIDTH = 80;
/** Where a line may be broken without a blank; nobody sees it. */
const SOFT_BREAK = "\u200b";

/** Where things and their explanations begin. */
interface Columns {
  readonly term: number;
  readonly text: number;
  /** Whether an empty line stands between two. */
  readonly spaced: boolean;
}

const NARROW: Columns = { term: 1, text: 23, spaced: false };
/** For terms that are long. */
export const WIDE: Columns = { term: 2, text: 8, spaced: true };

/** The page for a terminal, in lines of at most 80 characters. */
export function pageText(page: Page, columns: Columns = NARROW): string {
  const rows = (of: readonly Row[]) => rowsText(of, columns);
  const lines = (of: readonly string[]) => of.map((line) => ` ${line}\n`).join("");
  const block = (of: Block) => {
    if (typeof of === "string") return `${wrap(of, 0, 0)}\n`;
    return "lines" in of ? lines(of.lines) : rows(of.rows);
  };
  const titled = (title: string, of: string) => `${title}:\n\n${of}`;
  const listed = (title: string, of: readonly Row[] = []) =>
    of.length === 0 ? [] : [titled(title, rowsText(of, NARROW))];
  const [first = "", ...others] = page.usage.map((form) => `${page.program} ${form}`.trimEnd());
  return [
    `Usage: ${first}\n${others.map((form) => `       ${form}\n`).join("")}`,
    ...page.description.map(block),
    ...page.options.flatMap(({ title, rows: of, note }) => [
      title === undefined ? rows(of) : titled(title, rows(of)),
      ...(note === undefined ? [] : [block(note)]),
    ]),
    ...(page.notes ?? []).map(block),
    ...listed("Variables", page.environment),
    ...listed("Files", page.files),
    ...(page.exit.length === 0 ? [] : [titled("Exit code", page.exit.map(block).join("\n"))]),
    ...(page.examples ?? []).map(({ text, lines: of }, at) =>
      `${at === 0 ? "Examples:\n\n" : ""}${text === undefined ? "" : `${wrap(text, 0, 0)}\n\n`}` +
      lines(of)
    ),
  ].join("\n");
}

function rowsText(rows: readonly Row[], { term: indent, text: column, spaced }: Columns): string {
  const texts = rows.map(([term, text]) => {
    const head = wrap(breakable(term), indent, column);
    const explained = wrap(text, column, column);
    return head.length < column - 1
      ? `${head.padEnd(column)}${explained.trimStart()}\n`
      : `${head}\n${explained}\n`;
  });
  return texts.join(spaced ? "\n" : "");
}

/** A long argument may be broken before each of its parts. */
function breakable(term: string): string {
  return term.length < WIDTH / 2 ? term : term.replace(/(?<=[^\s])(?=[[|])/g, SOFT_BREAK);
}

/** Lines of at most {@linkcode WIDTH}; a word that is longer has a line of its own. */
function wrap(text: string, first: number, others: number): string {
  const lines: string[] = [];
  let line = " ".repeat(first);
  for (const [, word, separator] of text.matchAll(/([^ \u200b]+)([ \u200b]|$)/g)) {
    if (line.trim() !== "" && line.trimEnd().length + word!.length > WIDTH - 1) {
      lines.push(line.trimEnd());
      line = " ".repeat(others);
    }
    line += word + (separator === " " ? " " : "");
  }
  return [...lines, line.trimEnd()].join("\n");
}
