// Cuts the program into the texts of an executable: what every start needs, what a TPM for a command
// needs besides, and what only other tools and pages need. V8 is not given a text before one is asked
// for. A module is in one of them; what later ones need of it is handed out.
//
// What comes in are the chunks of a bundle: files that import each other by relative names.

import { type Export, PROGRAM, RUN, textFrom, TOOLS } from "./parts.ts";

/** The texts in the order in which they come, and the modules that begin each, by their files' names. */
export const TEXTS: readonly { readonly name: string; readonly begins: readonly string[] }[] = [
  { name: PROGRAM, begins: [] },
  { name: RUN, begins: ["run", "start", "stop", "ping", "ioctl", "simulator"] },
  {
    name: TOOLS,
    begins: [
      ...["decode", "state", "doctor", "bios", "cert", "localca", "setup", "install"],
      ...["help", "version", "completions", "trace"],
    ],
  },
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

/** Cuts the chunks in `folder`, and has `bundle` make the texts of them. */
export async function cutTexts(folder: string, bundle: Bundle): Promise<void> {
  const chunks = readChunks(folder);
  const at = (name: string) => chunks.get(name)!;
  const textOf = assign(chunks);
  const atOnce = closure([ENTRY], (name) => at(name).needs);
  const both = ({ needs, asksFor }: Chunk) => [...needs, ...asksFor];
  const wantedBy = (
    isText: (text: number) => boolean,
    wants: (chunk: Chunk) => readonly string[],
  ) => [...new Set([...textOf].flatMap(([name, text]) => isText(text) ? wants(at(name)) : []))];

  for (const [name, text] of textOf) {
    Deno.writeTextFileSync(`${folder}/${name}`, rewritten(at(name).text, text, textOf));
  }
  for (const [text, { name }] of TEXTS.entries()) {
    const isOwn = (chunk: string) => textOf.get(chunk) === text;
    const shared = wantedBy((other) => other > text, both).filter(isOwn);
    const asked = wantedBy((other) => other < text, ({ asksFor }) => asksFor).filter(isOwn);
    const foreign = wantedBy((other) => other === text, both)
      .filter((chunk) => textOf.get(chunk)! < text);
    const entry = [
      ...(text === 0 ? [`export { main } from ${quoted(ENTRY)};`] : []),
      // What a start has run anyway; what it has not is not run for being shared.
      ...shared.filter((chunk) => atOnce.has(chunk))
        .map((chunk) => `export * as ${quoted(chunk)} from ${quoted(chunk)};`),
      ...table("lazily", "require", shared.filter((chunk) => !atOnce.has(chunk))),
      ...table("modules", "import", asked),
    ];
    Deno.writeTextFileSync(`${folder}/${name}`, entry.join("\n"));
    const bundled = await bundle(name, foreign.map((chunk) => `./${chunk}`));
    Deno.writeTextFileSync(bundled, textFrom(Deno.readTextFileSync(bundled)));
  }
}

/** Which text each chunk is in, by its number. */
function assign(chunks: ReadonlyMap<string, Chunk>): ReadonlyMap<string, number> {
  const textOf = new Map<string, number>();
  const begins = TEXTS.map(({ begins }, text) =>
    text === 0 ? [ENTRY] : begins.map((module) => chunkOf(module, [...chunks.keys()]))
  );
  begins.forEach((roots, text) => {
    const later = new Set(begins.slice(text + 1).flat());
    const reached = closure(roots, (name) => {
      const { needs, asksFor } = chunks.get(name)!;
      return [...needs, ...asksFor].filter((next) => !textOf.has(next) && !later.has(next));
    });
    for (const name of reached) textOf.set(name, text);
  });
  return textOf;
}

/** A chunk of a text: none has a file to import, so what is in another text is handed out. */
function rewritten(source: string, text: number, textOf: ReadonlyMap<string, number>): string {
  return source.replaceAll(DYNAMIC, (written, asked) => {
    const there = textOf.get(asked)!;
    if (there === text) return written;
    return there < text
      ? `Promise.resolve(require("./${asked}"))`
      : `later("${TEXTS[there]!.name}","./${asked}")`;
  });
}

/** A table of a text's {@linkcode Export}. */
function table(name: keyof Export, how: "require" | "import", chunks: readonly string[]): string[] {
  const entries = chunks.map((chunk) => `${quoted(chunk)}: () => ${how}(${quoted(chunk)}),`);
  return [`export const ${name} = {`, ...entries, "};"];
}

function quoted(chunk: string): string {
  return JSON.stringify(`./${chunk}`);
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
