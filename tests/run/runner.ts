// `swtpm run` as tests start it: with a folder for its sockets that is theirs alone, so that what it
// leaves behind shows. Leaves what COMMAND is, and what is expected of it, to the tests.

import assert from "node:assert/strict";
import { type Outcome, run, type StartOptions, TestProcess } from "../support/process.ts";
import { plainProgram, type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { waitUntil } from "../support/wait.ts";

/** Making keys on a busy machine takes seconds. */
const RUN_MS = 60_000;

/** A folder for sockets, and runs that use it; `await using` removes it. */
export class Runner implements AsyncDisposable {
  readonly #sockets = new TempDir("swtpm-run-test-");

  get folder(): string {
    return this.#sockets.path;
  }

  /** Starts the program with these words, and with the signals' defaults: nohup ignores SIGHUP. */
  start(words: readonly string[], options: StartOptions = {}): TestProcess {
    const program = throughEnv(programUnderTest(), "--default-signal");
    return new TestProcess(program, words, this.#with(options));
  }

  /** Runs the program to its end, whatever that is. */
  async swtpm(words: readonly string[], options: StartOptions = {}): Promise<Outcome> {
    return await run(programUnderTest(), words, { ...this.#with(options), timeoutMs: RUN_MS });
  }

  /** `swtpm run WORDS`; must end with exit code 0 and says what COMMAND printed. */
  async ok(words: readonly string[], options: StartOptions = {}): Promise<string> {
    const outcome = await this.swtpm(["run", ...words], options);
    assert.equal(outcome.code, 0, `"run ${words.join(" ")}" failed: ${said(outcome)}`);
    return outcome.stdout;
  }

  /** The same without a single variable, as a service or a cron job has it. */
  async bare(words: readonly string[]): Promise<string> {
    const program = throughEnv(programUnderTest(), "-i");
    const options = { cwd: this.folder, timeoutMs: RUN_MS };
    const outcome = await run(program, ["run", ...words], options);
    assert.equal(outcome.code, 0, `"env -i run ${words.join(" ")}" failed: ${said(outcome)}`);
    return outcome.stdout;
  }

  /** What lies in the folder: names of what a run made for itself. */
  left(): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name);
  }

  /** Fails unless neither a file nor a process of a run is left. */
  async nothingLeft(): Promise<void> {
    assert.deepEqual(this.left(), [], "a run left something behind");
    await waitUntil(
      `the end of all processes that were started with ${this.folder}`,
      () => processesOf(this.folder).length === 0,
    );
  }

  /** Ends what COMMAND or a test that failed left running. */
  async endProcesses(): Promise<void> {
    for (const pid of processesOf(this.folder)) Deno.kill(pid, "SIGKILL");
    await waitUntil("the end of what was killed", () => processesOf(this.folder).length === 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endProcesses();
    await this.#sockets[Symbol.asyncDispose]();
  }

  #with(options: StartOptions): StartOptions {
    return { cwd: this.folder, ...options, env: { XDG_RUNTIME_DIR: this.folder, ...options.env } };
  }
}

/** Everything a program said, for a message. */
export function said({ code, stdout, stderr }: Outcome): string {
  return `exit code ${code}\n${stdout}${stderr}`;
}

/** A shell script as COMMAND. */
export function shell(script: string): string[] {
  return ["--", "/bin/bash", "-ec", script];
}

/** The program as env(1) starts it, in whose place it then is. */
function throughEnv(program: Program, option: string): Program {
  return {
    ...plainProgram(`env ${option} ${program.name}`, "/usr/bin/env"),
    args: [option, program.command, ...program.args],
  };
}

/** Processes that have the folder in their environment, or were started in it and stayed there. */
export function processesOf(folder: string): number[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) =>
    /^\d+$/.test(name)
  );
  return pids.map(Number).filter((pid) => {
    try {
      return Deno.readLinkSync(`/proc/${pid}/cwd`) === folder ||
        Deno.readTextFileSync(`/proc/${pid}/environ`).includes(folder);
    } catch {
      return false; // it ended meanwhile
    }
  });
}
