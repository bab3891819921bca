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

/** Reads the program that lies in `folder`; V8 refuses a cache that other source or flags made. */
export function readScript(folder: string, cachedData?: Uint8Array): Script {
  return new Script(Deno.readTextFileSync(`${folder}/${PROGRAM}`), {
    // import() of the runtime's own modules needs a URL to start from.
    filename: `file:///${PROGRAM}`,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
}

/** Runs the program as far as its exports. */
export function runScript(script: Script): Program {
  const module = { exports: {} };
  script.runInThisContext()(module);
  return module.exports as Program;
}

/** The source of {@linkcode PROGRAM}, from main.ts bundled as a CommonJS module. */
export function programOf(bundle: string): string {
  return `(function(module){"use strict";${bundle}\n})`;
}
