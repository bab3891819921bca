// Splits TypeScript source into code and what is not code: comments, strings, regular expressions.
// Knows nothing of grammar beyond that; what the code means is left to check_layers.ts.

/** A source file with everything blanked that is not code. */
export interface SourceText {
  /** As long as the source, line by line; insides of strings and comments are spaces, quotes stay. */
  readonly code: string;
  /** The insides of string literals, by the offset of their opening quote. */
  readonly strings: ReadonlyMap<number, string>;
}

/** Behind these words a slash begins a regular expression; behind other words it divides. */
const WORDS_BEFORE_REGEX = new Set(
  "await case delete do else in instanceof new of return throw typeof void yield".split(" "),
);

/** Reads `source`; throws when a string, comment, template or regular expression has no end. */
export function readSource(source: string): SourceText {
  const code: string[] = [...source.replace(/[^\n]/gu, (c) => " ".repeat(c.length))];
  const strings = new Map<number, string>();
  /** For each open `${`, how many braces are open inside of it. */
  const templates: number[] = [];
  let at = 0;
  let previous = ""; // the last bit of code: one character, or a whole word

  const keep = (from: number, to: number) => {
    for (let index = from; index < to; index++) code[index] = source.charAt(index);
  };
  const fail = (what: string, from: number): never => {
    throw new Error(`line ${lineAt(source, from)}: ${what} without an end`);
  };
  /** From inside a template's text to its closing quote or to the code of the next `${`. */
  const readTemplateText = (from: number) => {
    for (; at < source.length; at++) {
      if (source[at] === "\\") at++;
      else if (source[at] === "`") {
        keep(at, ++at);
        previous = "`";
        return;
      } else if (source.startsWith("${", at)) {
        keep(at, at + 2);
        at += 2;
        templates.push(0);
        previous = "{";
        return;
      }
    }
    fail("template", from);
  };

  while (at < source.length) {
    const start = at;
    const char = source.charAt(at);
    if (/\s/.test(char)) {
      at++;
    } else if (source.startsWith("//", at)) {
      const end = source.indexOf("\n", at);
      at = end < 0 ? source.length : end;
    } else if (source.startsWith("/*", at)) {
      const end = source.indexOf("*/", at + 2);
      at = end < 0 ? fail("comment", start) : end + 2;
    } else if (char === '"' || char === "'") {
      for (at++; source[at] !== char; at++) {
        if (source[at] === "\\") at++;
        if (at >= source.length || source[at] === "\n") fail("string", start);
      }
      at++;
      strings.set(start, source.slice(start + 1, at - 1));
      keep(start, start + 1);
      keep(at - 1, at);
      previous = char;
    } else if (char === "`") {
      keep(at, ++at);
      readTemplateText(start);
    } else if (char === "}" && templates.at(-1) === 0) {
      templates.pop();
      keep(at, ++at);
      readTemplateText(start);
    } else if (char === "/" && regexMayFollow(previous)) {
      at = endOfRegex(source, start) ?? fail("regular expression", start);
      previous = "/x/";
    } else if (/[\w$\u0080-\uffff]/.test(char)) {
      while (at < source.length && /[\w$\u0080-\uffff]/.test(source.charAt(at))) at++;
      keep(start, at);
      previous = source.slice(start, at);
    } else {
      const open = templates.length - 1;
      if (char === "{" && open >= 0) templates[open] = (templates[open] ?? 0) + 1;
      if (char === "}" && open >= 0) templates[open] = (templates[open] ?? 0) - 1;
      keep(at, ++at);
      const pair = source.slice(start - 1, at);
      const closes = pair === "++" || pair === "--" || /[\w$)\]]!/.test(pair);
      previous = closes ? ")" : char; // `x++ / y` and `x! / y` divide
    }
  }
  if (templates.length > 0) fail("template", source.length);
  return { code: code.join(""), strings };
}

/** The number of the line, from 1, that holds `offset`. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

function regexMayFollow(previous: string): boolean {
  if (/^[\w$\u0080-\uffff]/.test(previous)) return WORDS_BEFORE_REGEX.has(previous);
  return previous !== ")" && previous !== "]" && !/^["'`]$|^\/x\/$/.test(previous);
}

function endOfRegex(source: string, start: number): number | null {
  let inClass = false;
  for (let at = start + 1; at < source.length && source[at] !== "\n"; at++) {
    const char = source[at];
    if (char === "\\") at++;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return at + 1;
  }
  return null;
}
