// The first module of an executable that is there during a build only: it runs the program once and
// writes the code that V8 made of it until then, as a code cache. V8 takes that from the very same
// runtime with the very same flags only. What is in it does not depend on how fast this machine is:
// the clock goes on by being read.

import type { Script } from "node:vm";
import {
  CODE_CACHE_BEFORE,
  CODE_CACHE_FILE,
  CODE_CACHE_OF,
  PROGRAM,
  runProgram,
  scriptOf,
  textOf,
} from "./parts.ts";

/** A few readings are a spin's time. */
const READING_MS = 0.02;
let readings = 0;
performance.now = () => readings++ * READING_MS;

const path = Deno.env.get(CODE_CACHE_FILE);
if (path === undefined) throw new Error(`${CODE_CACHE_FILE} is not set`);
const part = Deno.env.get(CODE_CACHE_OF) ?? PROGRAM;
// A server gives up the right to open it.
using file = Deno.openSync(path, { write: true, create: true, truncate: true });
const before = Deno.env.get(CODE_CACHE_BEFORE);
const known = before === undefined ? undefined : Deno.readFileSync(before);
const read = async (name: string) =>
  scriptOf(name, await textOf(name), name === part ? known : undefined);
const scripts: Record<string, Script> = { [PROGRAM]: await read(PROGRAM) };
const scriptNamed = async (name: string) => scripts[name] = await read(name);
const code = await runProgram(scripts[PROGRAM]!, scriptNamed).main(Deno.args);
const cache = scripts[part]!.createCachedData();
for (let rest = cache; rest.length > 0;) rest = rest.subarray(file.writeSync(rest));
Deno.exit(code);
