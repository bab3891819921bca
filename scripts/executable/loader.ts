// The first module of the executable. The program is not compiled anew at each start: V8 made code
// of it when the executable was built, and gets it back here. Where that code cannot be had, or V8
// does not want it, the program is compiled as ever.
//
// The code stands outside of the section that the runtime reads whole at each start and keeps, as
// V8 has a copy of it. Deno's own code cache is a file in /tmp, whose name anyone can foretell.

import {
  CODE_CACHE_PLACE,
  type CodeCachePlace,
  DIGEST_SIZE,
  PROGRAM,
  runScript,
  scriptOf,
  textOf,
} from "./parts.ts";

/** The code cache, if the file of this program is still the one that was started. */
function readCodeCache({ at, size, digest }: CodeCachePlace): Uint8Array<ArrayBuffer> | undefined {
  try {
    using file = Deno.openSync(Deno.execPath());
    file.seekSync(at, Deno.SeekMode.Start);
    const bytes = new Uint8Array(DIGEST_SIZE + size);
    for (let read = 0; read < bytes.length;) {
      const more = file.readSync(bytes.subarray(read));
      if (more === null) return undefined;
      read += more;
    }
    const found = bytes.subarray(0, DIGEST_SIZE).toHex();
    return found === digest ? bytes.subarray(DIGEST_SIZE) : undefined;
  } catch {
    return undefined; // whatever it was, the program runs without
  }
}

const place = JSON.parse(await textOf(CODE_CACHE_PLACE)) as CodeCachePlace | null;
const cachedData = place === null ? undefined : readCodeCache(place);
const script = scriptOf(await textOf(PROGRAM), cachedData);
if (Deno.env.get("SWTPM_TIMING") === "1") {
  const used = cachedData !== undefined && !script.cachedDataRejected;
  console.error(`timing: the code was ${used ? "there from the build" : "compiled"}`);
}
const { main } = runScript(script);
// V8 has copied it, and no garbage collection may ever come.
cachedData?.buffer.transfer(0);
Deno.exit(await main(Deno.args));
