// Descriptors that run out, and come back: the limit of a running process is lowered to what it has
// and raised again. Leaves who is turned away meanwhile to others.

import assert from "node:assert/strict";
import { run } from "../../support/process.ts";
import { plainProgram } from "../../support/programs.ts";

/** The descriptors that a process has open, each with what it is. */
export function descriptorsOf(pid: number): string[] {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => {
    try {
      return `${name} ${Deno.readLinkSync(`/proc/${pid}/fd/${name}`)}`;
    } catch {
      return name; // closed meanwhile
    }
  });
}

/** No more descriptors than `spare` for a process, until `await using` gives them back. */
export class Famine implements AsyncDisposable {
  private constructor(readonly pid: number, private readonly before: string) {}

  static async begin(pid: number, spare = 0): Promise<Famine> {
    const limits = /^Max open files +(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/limits`));
    assert.ok(limits?.[1] !== undefined, "the process has no limit of open files");
    const taken = new Set([...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => Number(name)));
    // What lies above the limit stays open; a new one is the lowest that is free.
    let free = 0;
    for (let left = spare; taken.has(free) || left-- > 0;) free++;
    await limit(pid, String(free));
    return new Famine(pid, limits[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await limit(this.pid, this.before);
  }
}

async function limit(pid: number, soft: string): Promise<void> {
  const prlimit = plainProgram("prlimit", "/usr/bin/prlimit");
  const { code, stderr } = await run(prlimit, ["--pid", String(pid), `--nofile=${soft}:`]);
  assert.ok(code === 0 || stderr.includes("No such process"), `prlimit failed: ${stderr}`);
}
