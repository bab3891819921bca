// The first module of an executable that is there during a build only: it runs the program once and
// writes the code that V8 made of it until then, as a code cache. V8 takes that from the very same
// runtime with the very same flags only.

import { CODE_CACHE_FILE, PROGRAM, runScript, scriptOf, textOf } from "./parts.ts";

const path = Deno.env.get(CODE_CACHE_FILE);
if (path === undefined) throw new Error(`${CODE_CACHE_FILE} is not set`);
// A server gives up the right to open it.
using file = Deno.openSync(path, { write: true, create: true, truncate: true });
const script = scriptOf(await textOf(PROGRAM));
const code = await runScript(script).main(Deno.args);
const cache = script.createCachedData();
for (let rest = cache; rest.length > 0;) rest = rest.subarray(file.writeSync(rest));
Deno.exit(code);
