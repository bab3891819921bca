// What stands beside the first module of an executable, and how the program in it becomes code.
// The loader and the trainer read it, scripts/build.ts writes it (texts.ts says what is where).

import { Script } from "node:vm";

/** What every start needs, as one function. */
export const PROGRAM = "program.js";
/** What only tools and pages need, as another one: V8 does not see it before one is asked for. */
export const TOOLS = "tools.js";
/** Where in the executable the rest is, as {@linkcode Places} in JSON. */
export const PLACES = "places.json";

/** Names the file that the trainer writes the code cache to. */
export const CODE_CACHE_FILE = "SWTPM_CODE_CACHE";
/** Says of which of the two texts; {@linkcode PROGRAM} if it is not set. */
export const CODE_CACHE_OF = "SWTPM_CODE_CACHE_OF";

/** Names the file of a code cache to begin with, if there is one. */
export const CODE_CACHE_BEFORE = "SWTPM_CODE_CACHE_BEFORE";

/** Bytes inside the executable: their SHA-256, which is their name, then they themselves. */
export interface Place {
  /** Offset of the digest in the executable. */
  readonly at: number;
  /** Size in bytes of what follows the digest. */
  readonly size: number;
  /** The digest in hexadecimal digits. */
  readonly digest: string;
}

/** What stands outside of the section that the runtime reads whole at each start and keeps. */
export interface Places {
  /** V8's code of {@linkcode PROGRAM}. */
  readonly programCode: Place | null;
  readonly tools: Place;
  readonly toolsCode: Place | null;
}

/** Of SHA-256, in bytes. */
export const DIGEST_SIZE = 32;

/** main.ts. */
export interface Program {
  main(args: readonly string[]): Promise<number>;
}

/** What a text puts into its `module`. */
type Exports = Record<string, unknown>;
type Require = (name: string) => unknown;
/** Loads a module of the other text. */
type Later = (name: string) => Promise<unknown>;

/** Modules that the tools share with the program, by name: there, or made when first asked for. */
interface Shared extends Exports, Program {
  readonly lazily: Readonly<Record<string, () => unknown>>;
}
/** The modules of the tools that the program asks for. */
interface Tools extends Exports {
  readonly modules: Readonly<Record<string, () => Promise<unknown>>>;
}

/**
 * The text of what stands beside the first module. The runtime has it below $TMPDIR, in its own view
 * of the files; below /dev nobody may read a file, but import it, which takes a start a little more.
 */
export async function textOf(part: string): Promise<string> {
  const url = new URL(part, import.meta.url);
  try {
    return Deno.readTextFileSync(url);
  } catch {
    return (await import(url.href, { with: { type: "text" } })).default;
  }
}

/** Has V8 make a script of a text; it refuses a cache that other source or flags made. */
export function scriptOf(name: string, text: string, cachedData?: Uint8Array): Script {
  return new Script(text, {
    // import() of the runtime's own modules needs a URL to start from.
    filename: `file:///${name}`,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
}

/** Runs the program as far as its exports; `tools` is called when a tool is wanted. */
export function runProgram(program: Script, tools: () => Promise<Script>): Program {
  let modules: Promise<Tools["modules"]> | undefined;
  const shared = exportsOf(program, builtinModule, async (name) => {
    modules ??= tools().then((script) => (exportsOf(script, require, neverLater) as Tools).modules);
    return await (await modules)[name]!();
  }) as Shared;
  const require = (name: string) => shared[name] ?? shared.lazily[name]?.() ?? builtinModule(name);
  return shared;
}

function exportsOf(script: Script, require: Require, later: Later): Exports {
  const module = { exports: {} };
  script.runInThisContext()(module, require, later);
  return module.exports;
}

/** What a part that is loaded late gets for `import … from "node:…"`. */
function builtinModule(name: string): unknown {
  return globalThis.process.getBuiltinModule(name);
}

function neverLater(name: string): never {
  throw new Error(`"${name}" is asked for by the tools, which have it themselves`);
}

/** The source of {@linkcode PROGRAM} or {@linkcode TOOLS}, from a bundle that is a CommonJS module. */
export function textFrom(bundle: string): string {
  return `(function(module,require,later){"use strict";${bundle}\n})`;
}
