// Holds the order of the house: which room may import which, who may reach C, who may print.
// Also keeps files tidy. What the compiler and the linter see is left to them.
//
// Usage: deno run -A scripts/check_layers.ts

import { ROOT, triesOut, typeScriptBelow } from "./checkout.ts";
import { lineAt, readSource, type SourceText } from "./source_text.ts";

/** One room of the house. */
interface Room {
  /** Imports go to lower floors; rooms on one floor are neighbours that do not know each other. */
  readonly floor: number;
  /** May open libraries and hold pointers. */
  readonly foreign?: true;
  /**
   * Rooms inside, for which the same holds; those that are not named are on the top floor. Without
   * it the room is one: its files know each other.
   */
  readonly inside?: Readonly<Record<string, number>>;
}

/** The rooms, from the top floor down. */
export const ROOMS: Readonly<Record<string, Room>> = {
  "main.ts": { floor: 10 },
  interfaces: { floor: 9 },
  // A folder for each program, and what they share.
  tools: { floor: 9, inside: { own_tpm: 1, reach: 1, certificates: 1 } },
  cli: { floor: 8 },
  daemon: {
    floor: 7,
    inside: {
      ...{ "cuse.ts": 8, "simulator.ts": 8, printed: 8, start: 7, chip: 6, watch: 5, loop: 4 },
      ...{ output: 3, powers: 3, end: 3, "system.ts": 2, "config.ts": 1, "phases.ts": 1 },
    },
  },
  control: { floor: 6 },
  trace: { floor: 5 },
  resources: { floor: 5 },
  tpm: { floor: 4 },
  state: { floor: 3 },
  transports: { floor: 3 },
  sandbox: { floor: 3 },
  ffi: { floor: 2, foreign: true },
  tcg: { floor: 2 },
  wire: { floor: 1 },
};

/**
 * They look at the house from outside: may import any room, and no room imports them. Of scripts/,
 * only what tries out the finished executable imports tests/.
 */
export const OUTSIDE: ReadonlySet<string> = new Set(["tests", "scripts"]);

/** The one file that may write to the terminal. */
export const PRINTER = "daemon/output/output.ts";

/** Data files that any room may read. */
const SHARED_DATA: ReadonlySet<string> = new Set(["deno.json"]);

/** A file with one job fits; one that does not has two. */
export const FILE_LINES_MAX = 400;

/** Packages, as deno.lock has them, and the one folder whose files import each. */
export const PACKAGES: Readonly<Record<string, string>> = {
  "npm:asn1js@3.1.0": "tools/certificates/",
};

/** Files that may be longer, each with its reason. */
export const LONG_FILES: Readonly<Record<string, string>> = {
  "tests/upstream/expected.ts": "one table, a row per script of the C project",
  "tests/conversation/scenes_common.ts": "one table, the scenes of both TPM versions",
  "cli/options.ts": "one table, an entry per option",
};

/** Files outside of ffi/ that call C themselves, each with its reason. */
export const C_OUTSIDE_FFI: Readonly<Record<string, string>> = {
  "tests/support/fd_passing.ts": "passes descriptors with other code than the code under test",
  "scripts/bench/libc.ts": "a client that waits without an event loop, as fast as C",
};

/** Files whose imports may be computed, each with its reason. */
export const COMPUTED_IMPORTS: Readonly<Record<string, string>> = {
  "scripts/executable/parts.ts": "what it imports is made by the build",
};

/** One broken rule at one place. */
export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
}

/** What `text`, the file at `path` below the checkout, breaks. */
export function checkFile(path: string, text: string): Violation[] {
  const found: Violation[] = [];
  const breaks = (line: number, rule: string) => found.push({ path, line, rule });

  checkTidiness(path, text, breaks);
  const here = roomOf(path);
  if (here === null) {
    breaks(
      1,
      `"${path}" is in none of the rooms ${[...Object.keys(ROOMS), ...OUTSIDE].join(", ")}`,
    );
    return found;
  }
  let source: SourceText;
  try {
    source = readSource(text);
  } catch (error) {
    breaks(1, `cannot be read: ${error instanceof Error ? error.message : error}`);
    return found;
  }
  for (const { specifier, offset } of importsOf(source)) {
    if (specifier === null && Object.hasOwn(COMPUTED_IMPORTS, path)) continue;
    const rule = specifier === null
      ? "import() names its module with a plain string"
      : refusalOfImport(path, here, specifier);
    if (rule !== null) breaks(lineAt(text, offset), rule);
  }
  for (const { offset, rule } of forbiddenWords(source.code, path, here)) {
    breaks(lineAt(text, offset), rule);
  }
  return found.sort((one, other) => one.line - other.line);
}

/** The room a file belongs to, by the first part of its path; null when there is no such room. */
function roomOf(path: string): string | null {
  const first = path.split("/")[0] ?? "";
  if (path.includes("/")) return Object.hasOwn(ROOMS, first) || OUTSIDE.has(first) ? first : null;
  const program = first.replace(/_test\.ts$/, ".ts");
  return Object.hasOwn(ROOMS, program) ? program : null;
}

function checkTidiness(
  path: string,
  text: string,
  breaks: (line: number, rule: string) => void,
): void {
  if (!/^\/[/*]\s*(?!deno-|@ts-)\S/.test(text)) {
    breaks(1, "a file opens with a comment that says what its one job is");
  }
  const lines = text.replace(/\n$/, "").split("\n").length;
  if (lines > FILE_LINES_MAX && !Object.hasOwn(LONG_FILES, path)) {
    breaks(FILE_LINES_MAX + 1, `a file has at most ${FILE_LINES_MAX} lines, this one has ${lines}`);
  }
  if (/(^|\/)(utils?|helpers?|common)(\.ts$|_test\.ts$|\/)/.test(path)) {
    breaks(1, "a file is named after what it does, not after being useful");
  }
}

/** The specifiers of `import`, `export ... from` and `import()`; null for one that is computed. */
function importsOf(source: SourceText): { specifier: string | null; offset: number }[] {
  const found: { specifier: string | null; offset: number }[] = [];
  for (const match of source.code.matchAll(/(?<![\w$.])(?:from|import)\s*(?=["'])/g)) {
    const quote = match.index + match[0].length;
    found.push({ specifier: source.strings.get(quote) ?? null, offset: match.index });
  }
  for (const match of source.code.matchAll(/(?<![\w$.])import\s*\(\s*/g)) {
    const quote = match.index + match[0].length;
    found.push({ specifier: source.strings.get(quote) ?? null, offset: match.index });
  }
  return found;
}

/** Why the file at `path`, in room `here`, may not import `specifier`; null when it may. */
function refusalOfImport(path: string, here: string, specifier: string): string | null {
  const isTest = path.endsWith("_test.ts");
  if (specifier.startsWith("node:")) {
    return specifier.startsWith("node:assert") && !isTest && !OUTSIDE.has(here)
      ? `"${specifier}" is for tests`
      : null;
  }
  if (Object.hasOwn(PACKAGES, specifier)) {
    const folder = PACKAGES[specifier]!;
    return path.startsWith(folder) ? null : `"${specifier}" is for files of ${folder} alone`;
  }
  if (!specifier.startsWith("./") && !specifier.startsWith("../")) {
    return `"${specifier}" is neither a file of this checkout nor a part of the runtime`;
  }
  const target = resolve(path, specifier);
  if (target === null) return `"${specifier}" leads out of the checkout`;
  if (target.endsWith("_test.ts")) return `"${specifier}" is a test, and tests are not imported`;
  if (here === "scripts" && target.startsWith("tests/") && !triesOut(path)) {
    return "what makes and checks the executable does not hang on its tests";
  }
  if (isFake(target) && !isTest && !isFake(path) && !OUTSIDE.has(here)) {
    return `"${specifier}" is a fake, and fakes are for tests`;
  }
  if (OUTSIDE.has(here) || SHARED_DATA.has(target)) return null;
  const there = roomOf(target);
  if (there === null) return `"${specifier}" is in none of the rooms`;
  const [own, other] = [ROOMS[here], ROOMS[there]];
  if (other === undefined) return `nothing imports ${there}/`;
  if (there !== here) return refusalOfRoom(here, own?.floor ?? 0, there, other.floor);
  const inside = own?.inside;
  if (inside === undefined) return null;
  const floorOf = (path: string) => inside[path.split("/")[1]!] ?? Infinity;
  const innerRoomOf = (path: string) => path.split("/", 2).join("/");
  return refusalOfRoom(innerRoomOf(path), floorOf(path), innerRoomOf(target), floorOf(target));
}

/** Why one room may not import another one; null when it may. */
function refusalOfRoom(
  here: string,
  floor: number,
  there: string,
  thereFloor: number,
): string | null {
  if (there === here || thereFloor < floor) return null;
  return thereFloor === floor
    ? `${here} and ${there} are neighbours that do not know each other`
    : `imports point down: ${here} may not import ${there}`;
}

/** Whether a file stands in for another one in tests. */
function isFake(path: string): boolean {
  return path.endsWith("_fake.ts");
}

/** `specifier` as a path below the checkout, seen from the file at `path`. */
function resolve(path: string, specifier: string): string | null {
  const parts = path.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.join("/");
}

/** Uses of powers that room `here` does not have. */
function forbiddenWords(
  code: string,
  path: string,
  here: string,
): { offset: number; rule: string }[] {
  const room = ROOMS[here];
  const rules: [RegExp, string][] = [[
    /(?<![\w$.])export\s*\*/g,
    "a name is imported from the file that declares it: no barrel files",
  ]];
  if (room?.foreign !== true && !Object.hasOwn(C_OUTSIDE_FFI, path)) {
    rules.push([/(?<![\w$])Deno\s*(?:\?\.|\.)\s*(?:dlopen|Unsafe\w*)/g, "only ffi/ may reach C"]);
    rules.push([/(?<![\w$])Deno\s*(?:\?\.)?\[/g, "Deno is used by plain names only"]);
    rules.push([/[{,]\s*(?:dlopen|Unsafe\w+)\b[^}]*\}\s*=\s*Deno\b/g, "only ffi/ may reach C"]);
  }
  if (room !== undefined && path !== PRINTER) {
    const printers =
      /(?<![\w$.])(?:console\s*(?:\?\.|\.)\s*\w+|(?:Deno|process)\s*\.\s*std(?:out|err))\b/g;
    rules.push([printers, `only ${PRINTER} prints`]);
  }
  return rules.flatMap(([pattern, rule]) =>
    [...code.matchAll(pattern)].map((match) => ({ offset: match.index, rule }))
  );
}

/** What the whole checkout breaks. */
export function checkCheckout(root: string): Violation[] {
  return typeScriptBelow(root).flatMap((path) =>
    checkFile(path, Deno.readTextFileSync(`${root}/${path}`))
  );
}

/** `path:line rule`, so that editors can jump there. */
export function formatViolation(violation: Violation): string {
  return `${violation.path}:${violation.line} ${violation.rule}`;
}

if (import.meta.main) {
  const violations = checkCheckout(ROOT);
  for (const violation of violations) console.error(formatViolation(violation));
  Deno.exit(violations.length === 0 ? 0 : 1);
}
