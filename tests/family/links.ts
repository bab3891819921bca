// The family's programs as users call them: links to the program under test in a folder of their own.

import assert from "node:assert/strict";
import { run } from "../support/process.ts";
import { plainProgram, type Program, programUnderTest } from "../support/programs.ts";
import type { TempDir } from "../support/temp_dir.ts";

/** Makes the links and returns the program that is called by `name`. */
export async function linksIn(folder: TempDir): Promise<(name: string) => Program> {
  const links = folder.join("links");
  Deno.mkdirSync(links);
  const { code, stderr } = await run(programUnderTest(), ["install-tools", links]);
  assert.equal(code, 0, stderr);
  return (name) => plainProgram(name, `${links}/${name}`);
}

/** A program of the C project, from the words that its command line begins with. */
export function peerProgram(name: string, words: readonly string[]): Program {
  return { name, command: words[0]!, args: words.slice(1), env: {} };
}
