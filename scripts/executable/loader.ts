// The first module of the executable. The program is not compiled anew at each start: V8 made code
// of it when the executable was built, and gets it back here. Where that code cannot be had, or V8
// does not want it, the program is compiled as ever.
//
// The code, and the texts that not every start needs, stand outside of the section that the runtime reads whole
// at each start and keeps. Deno's own code cache is a file in /tmp, whose name anyone can foretell.

import {
  DIGEST_SIZE,
  type Place,
  PLACES,
  type Places,
  PROGRAM,
  runProgram,
  scriptOf,
  textOf,
} from "./parts.ts";
import type { Script } from "node:vm";

/** What stands at a place, if the file of this program is still the one that was started. */
function read({ at, size, digest }: Place): Uint8Array<ArrayBuffer> | undefined {
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
    return undefined; // whatever it was, it cannot be had
  }
}

/** A text as a script, with its code where that is to be had. */
function scriptWith(name: string, text: string): Script {
  const place = places.codes[name];
  const code = place && read(place);
  const script = scriptOf(name, text, code);
  if (Deno.env.get("SWTPM_TIMING") === "1") {
    const used = code !== undefined && !script.cachedDataRejected;
    console.error(`timing: the code of ${name} was ${used ? "there from the build" : "compiled"}`);
  }
  // V8 has copied it, and no garbage collection may ever come.
  code?.buffer.transfer(0);
  return script;
}

const places = JSON.parse(await textOf(PLACES)) as Places;

/** Later texts come from the file itself, which may be gone by now. */
function scriptNamed(name: string): Promise<Script> {
  const text = read(places.texts[name]!);
  if (text === undefined) {
    throw new Error(`"${Deno.execPath()}" is not the file any more that was started`);
  }
  return Promise.resolve(scriptWith(name, new TextDecoder().decode(text)));
}

const program = scriptWith(PROGRAM, await textOf(PROGRAM));
Deno.exit(await runProgram(program, scriptNamed).main(Deno.args));
