// Cuts the program into the two texts of an executable: what every start needs, and what only tools
// and pages need, which V8 is not given before one is asked for. A module is in one of them; what both
// need is the first one's, which hands it out.
//
// What comes in are the chunks of a bundle: files that import each other by relative names.

import { PROGRAM, textFrom, TOOLS } from "./parts.ts";

/** Modules that begin the second text, by the names of their files: who asks for them can wait. */
export const LATE = [
  ...["run", "start", "stop", "decode", "state", "doctor", "ioctl", "bios", "cert", "localca"],
  ...["setup", "install", "help", "version", "completions", "trace"],
];

const ENTRY = "main.js";
/** `import x from "./x.js"`, `export … from "./x.js"`, as the bundler writes them. */
const STATIC = /(?:from|import)"\.\/([^"]+\.js)"/g;
/** `import("./x.js")` */
const DYNAMIC = /\bimport\("\.\/([^"]+\.js)"\)/g;

interface Chunk {
  readonly text: string;
  readonly needs: readonly string[];
  readonly asksFor: readonly string[];
}

/** Bundles a file of the folder as one CommonJS module without `externals`; returns its path. */
export type Bundle = (entry: string, externals: readonly string[]) => Promise<string>;

/** Cuts the chunks in `folder`, and has `bundle` make the two texts of them. */
export async function cutTexts(folder: string, bundle: Bundle): Promise<void> {
  const chunks = readChunks(folder);
  const late = new Set(LATE.map((name) => chunkOf(name, [...chunks.keys()])));
  const at = (name: string) => chunks.get(name)!;
  const atOnce = closure([ENTRY], (name) => at(name).needs);
  const first = closure([ENTRY], (name) => {
    const { needs, asksFor } = at(name);
    return [...needs, ...asksFor.filter((asked) => !late.has(asked))];
  });
  const second = [...chunks.keys()].filter((name) => !first.has(name));
  const shared = new Set(
    second.flatMap((name) => [...at(name).needs, ...at(name).asksFor])
      .filter((name) => first.has(name)),
  );

  for (const name of first) {
    const text = at(name).text.replaceAll(
      DYNAMIC,
      (written, asked) => late.has(asked) ? `later("./${asked}")` : written,
    );
    Deno.writeTextFileSync(`${folder}/${name}`, text);
  }
  // Nor has the second text a file to import: what it asks the first one for is handed out, too.
  for (const name of second) {
    const text = at(name).text.replaceAll(
      DYNAMIC,
      (written, asked) => first.has(asked) ? `Promise.resolve(require("./${asked}"))` : written,
    );
    Deno.writeTextFileSync(`${folder}/${name}`, text);
  }
  const quoted = (name: string) => JSON.stringify(`./${name}`);
  const isThere = [...shared].filter((name) => atOnce.has(name));
  const comesLazily = [...shared].filter((name) => !atOnce.has(name));
  await write(PROGRAM, [], [
    `export { main } from ${quoted(ENTRY)};`,
    ...isThere.map((name) => `export * as ${quoted(name)} from ${quoted(name)};`),
    "export const lazily = {",
    ...comesLazily.map((name) => `${quoted(name)}: () => require(${quoted(name)}),`),
    "};",
  ]);
  await write(TOOLS, [...shared].map((name) => `./${name}`), [
    "export const modules = {",
    ...[...late].map((name) => `${quoted(name)}: () => import(${quoted(name)}),`),
    "};",
  ]);

  async function write(name: string, externals: readonly string[], lines: readonly string[]) {
    Deno.writeTextFileSync(`${folder}/${name}`, lines.join("\n"));
    const bundled = await bundle(name, externals);
    Deno.writeTextFileSync(bundled, textFrom(Deno.readTextFileSync(bundled)));
  }
}

function readChunks(folder: string): ReadonlyMap<string, Chunk> {
  const chunks = new Map<string, Chunk>();
  const names = (text: string, pattern: RegExp) =>
    [...text.matchAll(pattern)].map(([, name]) => name!);
  for (const { name } of Deno.readDirSync(folder)) {
    const text = Deno.readTextFileSync(`${folder}/${name}`);
    chunks.set(name, { text, needs: names(text, STATIC), asksFor: names(text, DYNAMIC) });
  }
  return chunks;
}

/** The chunk that begins with a module: its name, a hash. */
function chunkOf(module: string, names: readonly string[]): string {
  const found = names.filter((name) => name.replace(/-[0-9A-Z]{8}\.js$/, "") === module);
  if (found.length === 1) return found[0]!;
  throw new Error(`${found.length} chunks begin with a module "${module}": ${found.join(", ")}`);
}

/** All that is reached from `roots`, these included. */
function closure(roots: readonly string[], next: (name: string) => readonly string[]): Set<string> {
  const reached = new Set(roots);
  for (const name of reached) for (const other of next(name)) reached.add(other);
  return reached;
}
