// A process in a terminal of its own, with somebody who types. What is typed is left to the tests.

import { run, TestProcess } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

/** `await using` ends the process and takes the terminal away. */
export class Terminal implements AsyncDisposable {
  private constructor(
    /** Its output is what the terminal shows. */
    readonly process: TestProcess,
    private readonly keyboard: Deno.FsFile,
    private readonly folder: TempDir,
  ) {}

  static async start(
    words: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Terminal> {
    const folder = new TempDir();
    const keyboard = folder.join("keyboard");
    await run(plainProgram("mkfifo", "/usr/bin/mkfifo"), [keyboard]);
    const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    const script = `exec script --quiet --flush --return --command "$0" /dev/null < '${keyboard}'`;
    // Without `exec` the shell between the two would die of an interrupt, too.
    const process = new TestProcess(plainProgram("script", "/bin/sh"), [
      ...["-c", script, `exec ${line}`],
    ], { env: { ...env, SHELL: "/bin/sh" } });
    return new Terminal(process, await Deno.open(keyboard, { write: true }), folder);
  }

  async type(keys: string): Promise<void> {
    await this.keyboard.write(new TextEncoder().encode(keys));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.keyboard.close();
    await this.process[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}
