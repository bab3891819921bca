// What stands beside the first module of an executable, and how the program in it becomes code.
// The loader and the trainer read it, scripts/build.ts writes it (texts.ts says what is where).

import { Script } from "node:vm";

/** What every start needs, as one function. */
export const PROGRAM = "program.js";
/** What `swtpm run` and its like need besides: V8 does not see it before one is asked for. */
export const RUN = "run.js";
/** What only other tools and pages need, the same. */
export const TOOLS = "tools.js";
/** Those that come when they are asked for; each needs those before it. */
export const LATER: readonly string[] = [RUN, TOOLS];
/** Where in the executable the rest is, as {@linkcode Places} in JSON. */
export const PLACES = "places.json";

/** Names the file that the trainer writes the code cache to. */
export const CODE_CACHE_FILE = "SWTPM_CODE_CACHE";
/** Says of which of the texts; {@linkcode PROGRAM} if it is not set. */
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
  /** {@linkcode LATER}, by their names. */
  readonly texts: Readonly<Record<string, Place>>;
  /** V8's code of texts, where there is some. */
  readonly codes: Readonly<Record<string, Place>>;
}

/** Of SHA-256, in bytes. */
export const DIGEST_SIZE = 32;

/** main.ts. */
export interface Program {
  main(args: readonly string[]): Promise<number>;
}

/** What a text puts into its `module`: modules that later texts share, by name. */
export interface Export {
  /** Those that are made when they are first wanted. */
  readonly lazily: Readonly<Record<string, () => unknown>>;
  /** Those that earlier texts ask for. */
  readonly modules: Readonly<Record<string, () => Promise<unknown>>>;
  readonly [name: string]: unknown;
}

type Require = (name: string) => unknown;
/** Loads a module of a later text. */
type Later = (text: string, name: string) => Promise<unknown>;

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

/** Runs the program as far as its exports; `scriptNamed` is called when a later text is wanted. */
export function runProgram(
  program: Script,
  scriptNamed: (name: string) => Promise<Script>,
): Program {
  const texts: Export[] = [];
  const require = (name: string) => {
    for (const text of texts) {
      const module = text[name] ?? text.lazily[name]?.();
      if (module !== undefined) return module;
    }
    return builtinModule(name);
  };
  let loading = Promise.resolve();
  const later = async (text: string, name: string) => {
    const count = LATER.indexOf(text) + 2;
    // One after the other, whoever else asks meanwhile.
    loading = loading.then(async () => {
      while (texts.length < count) {
        texts.push(exportOf(await scriptNamed(LATER[texts.length - 1]!), require, later));
      }
    });
    await loading;
    return await texts[count - 1]!.modules[name]!();
  };
  const first = exportOf(program, require, later);
  texts.push(first);
  return first as unknown as Program;
}

function exportOf(script: Script, require: Require, later: Later): Export {
  const module = { exports: {} };
  script.runInThisContext()(module, require, later);
  return module.exports as Export;
}

/** What a part that is loaded late gets for `import … from "node:…"`. */
function builtinModule(name: string): unknown {
  return globalThis.process.getBuiltinModule(name);
}

/** The source of a text, from a bundle that is a CommonJS module. */
export function textFrom(bundle: string): string {
  return `(function(module,require,later){"use strict";${bundle}\n})`;
}
