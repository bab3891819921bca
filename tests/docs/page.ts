// A page of the documentation as data: its blocks of code, and how each of them is checked. Without a
// comment before it, lines of shell are run; what else there is must say it.

/** How a block is checked: what the comment before it says. */
export type Check =
  /** Run after those before it, in the same shell; `code` is how it ends. */
  | { readonly kind: "run"; readonly code: number }
  /** Written to a file of this name; an empty one stands for what a reader has: `there is: NAME`. */
  | { readonly kind: "file"; readonly name: string }
  /** Printed by the lines before it; `…` stands for what is different each time. */
  | { readonly kind: "prints" }
  /** In a room of its own. */
  | { readonly kind: "by"; readonly means: string }
  | { readonly kind: "not run"; readonly reason: string };

export interface Fence {
  readonly line: number;
  readonly language: string;
  readonly text: string;
  readonly check: Check;
}

const FENCE =
  /^(?:<!-- (?!there is: )(.*?) -->\n\n?)?```(\w*)\n([\s\S]*?)^```$|^<!-- there is: (\S+) -->$/gm;

/** The blocks of a page, in their order. Throws for one of which nobody knows how to check it. */
export function readPage(path: string, text: string): readonly Fence[] {
  const fences = [...text.matchAll(FENCE)].map((match): Fence => {
    const [all, comment, language = "", inside = "", there] = match;
    const line = text.slice(0, match.index + Math.max(0, all.indexOf("```"))).split("\n").length;
    const check: Check = there === undefined
      ? checkOf(comment, language, `${path}:${line}`)
      : { kind: "file", name: there };
    return { line, language, text: inside, check };
  });
  const marks = text.split("\n").filter((line) => line.trimStart().startsWith("```")).length;
  const blocks = fences.filter(({ text, check }) => text !== "" || check.kind !== "file").length;
  if (marks !== blocks * 2) throw new Error(`${path}: a block that is not seen as one`);
  return fences;
}

function checkOf(comment: string | undefined, language: string, place: string): Check {
  const said = (pattern: RegExp) => pattern.exec(comment ?? "")?.[1];
  const code = said(/^fails: (\d+)$/);
  if (code !== undefined) return { kind: "run", code: Number(code) };
  const name = said(/^file: (\S+)$/);
  if (name !== undefined) return { kind: "file", name };
  if (comment === "prints") return { kind: "prints" };
  const means = said(/^by: (.+)$/);
  if (means !== undefined) return { kind: "by", means };
  const reason = said(/^not run: (.{10,})$/);
  if (reason !== undefined) return { kind: "not run", reason };
  if (comment === undefined && language === "sh") return { kind: "run", code: 0 };
  throw new Error(`${place}: nobody runs these lines, and no comment before them says why`);
}
