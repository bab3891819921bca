// What stands beside the first module of an executable, and how the program in it becomes code.
// The loader and the trainer read it, scripts/build.ts writes it.

import { Script } from "node:vm";

/** The whole program as one function, which puts its exports into the `module` it gets. */
export const PROGRAM = "program.js";
/** Where in the executable its code cache is, as {@linkcode CodeCachePlace} in JSON. */
export const CODE_CACHE_PLACE = "code_cache.json";

/** Names the file that the trainer writes the code cache to. */
export const CODE_CACHE_FILE = "SWTPM_CODE_CACHE";

/** A code cache inside the executable: its SHA-256, which is its name, then V8's bytes. */
export interface CodeCachePlace {
  /** Offset of the digest in the executable. */
  readonly at: number;
  /** Size in bytes of what follows the digest. */
  readonly size: number;
  /** The digest in hexadecimal digits. */
  readonly digest: string;
}

/** Of SHA-256, in bytes. */
export const DIGEST_SIZE = 32;

/** main.ts. */
export interface Program {
  main(args: readonly string[]): Promise<number>;
}

/**
 * The text of what stands beside the first module. The runtime has it below $TMPDIR, in its own view
 * of the files; below /dev nobody may read a file, but import it, which takes a start a little more.
 */
export async function textOf(part: typeof PROGRAM | typeof CODE_CACHE_PLACE): Promise<string> {
  const url = new URL(part, import.meta.url);
  try {
    return Deno.readTextFileSync(url);
  } catch {
    return (await import(url.href, { with: { type: "text" } })).default;
  }
}

/** Has V8 make a script of the program; it refuses a cache that other source or flags made. */
export function scriptOf(program: string, cachedData?: Uint8Array): Script {
  return new Script(program, {
    // import() of the runtime's own modules needs a URL to start from.
    filename: `file:///${PROGRAM}`,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
}

/** Runs the program as far as its exports. */
export function runScript(script: Script): Program {
  const module = { exports: {} };
  script.runInThisContext()(module, builtinModule);
  return module.exports as Program;
}

/** What a part of the program that is loaded late gets for `import … from "node:…"`. */
function builtinModule(name: string): unknown {
  return globalThis.process.getBuiltinModule(name);
}

/** The source of {@linkcode PROGRAM}, from main.ts bundled as a CommonJS module. */
export function programOf(bundle: string): string {
  return `(function(module,require){"use strict";${bundle}\n})`;
}
