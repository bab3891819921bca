// One child process of a test: its output is collected, its end awaited, and it never outlives
// the test. Leaves what the process is, and when it is ready, to others.

import { PATIENCE_MS, within } from "./wait.ts";
import type { Program } from "./programs.ts";

/** What a finished process left behind. */
export interface Outcome {
  /** Exit code; for a process ended by a signal 128 + its number, as a shell shows it. */
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is started beside its arguments. */
export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Bytes for standard input; without them it is /dev/null. */
  readonly stdin?: Uint8Array | string;
}

/** A started process; `await using` kills it if it still runs. */
export class TestProcess implements AsyncDisposable {
  readonly pid: number;
  /** Settles when the process has ended and its output was read. */
  readonly exit: Promise<Outcome>;
  readonly #child: Deno.ChildProcess;
  readonly #name: string;
  #stdout = "";
  #stderr = "";
  #ended = false;

  constructor(program: Program, args: readonly string[], options: StartOptions = {}) {
    this.#name = program.name;
    this.#child = new Deno.Command(program.command, {
      args: [...program.args, ...args],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...program.env, ...options.env },
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    const reading = Promise.all([
      collect(this.#child.stdout, (text) => this.#stdout += text),
      collect(this.#child.stderr, (text) => this.#stderr += text),
      options.stdin === undefined ? undefined : feed(this.#child.stdin, options.stdin),
    ]);
    this.exit = this.#finish(reading);
  }

  /** Standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** Standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** False once the end of the process has been seen. */
  get running(): boolean {
    return !this.#ended;
  }

  /** Sends a signal; a process that has just ended is no error. */
  kill(signal: Deno.Signal): void {
    if (this.#ended) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) && !(error instanceof TypeError)) throw error;
    }
  }

  /** The outcome, if it comes within `timeoutMs`. */
  ended(timeoutMs = PATIENCE_MS): Promise<Outcome> {
    return within(`the end of ${this.#name} (pid ${this.pid})`, this.exit, timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    // Bounded: a descendant that keeps the output open would hold the test for ever.
    await this.ended();
  }

  async #finish(reading: Promise<unknown>): Promise<Outcome> {
    const status = await this.#child.status;
    this.#ended = true;
    await reading;
    return {
      code: status.code,
      signal: status.signal,
      stdout: this.#stdout,
      stderr: this.#stderr,
    };
  }
}

/** Runs a program to its end and returns what it left behind. */
export async function run(
  program: Program,
  args: readonly string[],
  options: StartOptions & { readonly timeoutMs?: number } = {},
): Promise<Outcome> {
  await using process = new TestProcess(program, args, options);
  return await process.ended(options.timeoutMs);
}

async function collect(stream: ReadableStream<Uint8Array>, add: (text: string) => void) {
  const decoder = new TextDecoder();
  for await (const chunk of stream) add(decoder.decode(chunk, { stream: true }));
}

async function feed(stream: WritableStream<Uint8Array>, input: Uint8Array | string) {
  const writer = stream.getWriter();
  try {
    await writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input);
    await writer.close();
  } catch (error) {
    // A program may end without reading its input; then the stream may be closed already.
    if (!(error instanceof Deno.errors.BrokenPipe) && !(error instanceof TypeError)) throw error;
  }
}
