// A page as a manual page in mdoc(7), which mandoc and groff read.

import type { Block, Page, Row } from "../../cli/page.ts";

/** What a manual page has beside what the program's page says. */
export interface Frame {
  /** As man(1) takes it: swtpm-run. */
  readonly name: string;
  readonly section: 1 | 8;
  /** How mdoc writes a day: November 29, 2026. */
  readonly date: string;
  readonly version: string;
  /** Other pages, as name and section. */
  readonly see: readonly (readonly [name: string, section: number])[];
}

/** mandoc complains about lines that are longer. */
const WIDTH = 78;

/** How the first column of a list is marked. */
type Mark = (term: string) => string;

/** The source of the manual page. */
export function mdoc(page: Page, frame: Frame): string {
  const { name, section, date, version } = frame;
  const part = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`.Sh ${title}`, ...lines];
  return [
    `.Dd ${date}`,
    `.Dt ${name.toUpperCase()} ${section}`,
    `.Os "swtpm ${version}"`,
    ...part("NAME", [`.Nm ${name}`, `.Nd ${inline(page.about)}`]),
    ...part(
      "SYNOPSIS",
      page.usage.flatMap((form, at) => [
        ...(at === 0 ? [] : [".br"]),
        text(`${page.program} ${form}`.trimEnd()),
      ]).flat(),
    ),
    ...part("DESCRIPTION", blocks(page.description, wordMark)),
    ...part("OPTIONS", [
      ...page.options.flatMap(({ title, rows, note }) => [
        ...(title === undefined ? [] : [`.Ss ${inline(title)}`]),
        ...list(rows, optionMark),
        ...(note === undefined ? [] : [".Pp", ...text(note)]),
      ]),
      ...(page.notes === undefined ? [] : [".Ss Remarks", ...blocks(page.notes, wordMark)]),
    ]),
    ...part("ENVIRONMENT", list(page.environment ?? [], namesMark("Ev"))),
    ...part("FILES", list(page.files ?? [], namesMark("Pa"))),
    ...part("EXIT STATUS", blocks(page.exit, wordMark)),
    ...part("EXAMPLES", examples(page)),
    ...part(
      "SEE ALSO",
      frame.see.map(([name, section], at) =>
        `.Xr ${name} ${section}${at < frame.see.length - 1 ? " ," : ""}`
      ),
    ),
  ].join("\n") + "\n";
}

function blocks(of: readonly Block[], mark: Mark): string[] {
  return of.flatMap((block, at) => {
    if (typeof block === "string") return [...(at === 0 ? [] : [".Pp"]), ...text(block)];
    return "lines" in block ? literal(block.lines) : list(block.rows, mark);
  });
}

function examples({ examples = [] }: Page): string[] {
  return examples.flatMap(({ text: what, lines }, at) => [
    ...(what === undefined ? [] : [...(at === 0 ? [] : [".Pp"]), ...text(`${what}:`)]),
    ...literal(lines),
  ]);
}

function list(rows: readonly Row[], mark: Mark): string[] {
  if (rows.length === 0) return [];
  const items = rows.flatMap(([term, about]) => [`.It ${mark(term)}`, ...text(about)]);
  return [".Bl -tag -width Ds", ...items, ".El"];
}

function literal(lines: readonly string[]): string[] {
  return [".Bd -literal -offset indent", ...lines.map((line) => guarded(inline(line))), ".Ed"];
}

/** `-h|--help`, `--key, --profile ARGUMENT`, `--save TYPE FILE`. */
function optionMark(term: string): string {
  return term.split(/([|,]) ?(?=-[-\w])| /).filter((part) => part !== undefined && part !== "")
    .map((part) => {
      if (part === "|" || part === ",") return part;
      return part.startsWith("-") ? `Fl ${inline(part.slice(1))}` : `Ar ${argument(part)}`;
    }).join(" ");
}

function wordMark(term: string): string {
  return `Sy ${argument(term)}`;
}

/** `A, B`, each a name of one kind. */
function namesMark(macro: string): Mark {
  return (term) => term.split(", ").map((name) => `${macro} ${argument(name)}`).join(" , ");
}

/** One argument of a macro: not a macro itself, nor a sign that mdoc sets apart. */
function argument(words: string): string {
  // Where a long one may be broken.
  const safe = inline(words).replaceAll('"', '""').replace(/(?<=.{20})(?=\[,|\|)/g, "\\:");
  return words.includes(" ")
    ? `"${safe}"`
    : /^([A-Z]\w|[.,:;()?!|[\]])$/.test(words)
    ? `\\&${safe}`
    : safe;
}

/** A paragraph: a line for each sentence, broken where it is long. */
function text(paragraph: string): string[] {
  return paragraph.split(/(?<=[.:;?!]) (?=[A-Z'])/).flatMap((sentence) => {
    const lines: string[] = [];
    let line = "";
    for (const word of sentence.split(" ")) {
      const next = line === "" ? inline(word) : `${line} ${inline(word)}`;
      if (line !== "" && next.length > WIDTH) {
        lines.push(line);
        line = inline(word);
      } else line = next;
    }
    return [...lines, line].map(guarded);
  });
}

/** What roff would take for something else, written so that it stands there as it is. */
function inline(words: string): string {
  return words.replaceAll("\\", "\\e").replaceAll("'", "\\(aq").replaceAll("-", "\\-")
    .replaceAll("~", "\\(ti").replaceAll("^", "\\(ha").replaceAll("`", "\\(ga")
    // A hyphen between letters may be broken behind, as in words.
    .replace(/(?<=[a-z])\\-(?=[a-z])/g, "-");
}

/** A line that begins as a request would. */
function guarded(line: string): string {
  return line.startsWith(".") ? `\\&${line}` : line;
}
