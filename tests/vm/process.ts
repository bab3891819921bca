// One child process: started, its standard error collected, its exit awaited with a limit.
// It is ended by its own pid when the scope that holds it is left. What it runs is the caller's.

import { type Evidence, until, within } from "./deadline.ts";

/** How long what a process wrote last may still be on its way after its end. */
const lastWordsLimitMs = 1_000;

/** A running child process. */
export class Process implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #collected: Promise<void>;
  #stderr = "";
  #exited = false;

  constructor(readonly name: string, program: string, args: string[]) {
    this.#child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#reader = this.#child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    this.#collected = this.#collect();
    this.#child.status.then(() => this.#exited = true);
  }

  async #collect(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      this.#stderr += value;
    }
  }

  /** Waits for the end of the process and of its words; a child of its own may hold the pipe. */
  async #ended(): Promise<Deno.CommandStatus> {
    const status = await this.#child.status;
    const timer = setTimeout(() => this.#reader.cancel(), lastWordsLimitMs);
    await this.#collected;
    clearTimeout(timer);
    return status;
  }

  /** What the process wrote to its standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Waits for the end; gives the exit code (128 + n when a signal ended it). */
  async exitCode(limitMs: number, evidence: Evidence): Promise<number> {
    const status = await within(limitMs, `${this.name} to end`, this.#ended(), evidence);
    return status.code;
  }

  /** Waits for `work`, but fails at once when the process ends before it. */
  async whileRunning<T>(work: Promise<T>, evidence: Evidence): Promise<T> {
    const ended = this.#ended().then(({ code }) => {
      throw new Error(`${this.name} ended with ${code}\n${evidence()}`);
    });
    return await Promise.race([work, ended]);
  }

  /** Asks the process to end. */
  terminate(): void {
    this.#child.kill("SIGTERM");
  }

  /** Waits until the process listens on the Unix socket `path`. */
  async listening(path: string, limitMs: number, evidence: Evidence): Promise<void> {
    const listens = async () => {
      if (this.#exited) {
        const { code } = await this.#ended();
        throw new Error(`${this.name} ended with ${code} instead of listening\n${evidence()}`);
      }
      // The flag says that connections are accepted, which the file's presence does not.
      const sockets = (await Deno.readTextFile("/proc/net/unix")).split("\n");
      return sockets.some((line) => line.endsWith(` ${path}`) && / 00010000 /.test(line));
    };
    await until(limitMs, `${this.name} to listen on ${path}`, listens, evidence);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#exited) {
      try {
        this.#child.kill("SIGKILL");
      } catch (error) {
        // It ended by itself in this very moment.
        if (!(error instanceof TypeError)) throw error;
      }
    }
    await this.#ended();
  }
}
