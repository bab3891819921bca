// Runs one program with an end in sight: its whole process group is ended when its time is over.
// Gives back what it wrote and how it ended; what that means is left to the caller.

/** How to run a program. */
export interface CommandOptions {
  readonly timeLimitMs: number;
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Record<string, string>;
  /** Pass the output through as it comes, besides collecting it. */
  readonly show?: boolean;
}

/** How a program ended. */
export interface CommandResult {
  readonly success: boolean;
  /** One phrase for a message: `exit code 1`, `signal SIGKILL`, `not done after 60 s`. */
  readonly ending: string;
  /** Standard output and standard error in the order in which they came. */
  readonly output: string;
  readonly stdout: string;
}

/** After the polite signal, programs get this long to clean up. */
const GRACE_MS = 5_000;

/** A daemon left behind can hold a pipe open after the program ended; wait this long for its end. */
const DRAIN_MS = 1_000;

/** Collected output is cut from the front beyond this, so that a program gone mad cannot fill memory. */
const OUTPUT_LENGTH_MAX = 16 * 1024 * 1024;

/** Runs `program`; throws when it cannot be started, or when SIGINT or SIGTERM comes meanwhile. */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  // The terminal's Ctrl-C goes to our group only: hand it on, then throw, so that callers clean up.
  let interrupted = false;
  let end = () => {};
  const interrupt = () => {
    interrupted = true;
    end();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, interrupt);
  const timers: number[] = [];
  try {
    const child = new Deno.Command(program, {
      args: [...args],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1", ...options.env },
      detached: true, // its own process group, so that what it started can be ended with it
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    end = () => {
      killGroup(child.pid, "SIGTERM");
      timers.push(setTimeout(() => killGroup(child.pid, "SIGKILL"), GRACE_MS));
    };
    let timedOut = false;
    timers.push(setTimeout(() => {
      timedOut = true;
      end();
    }, options.timeLimitMs));

    let output = "";
    let stdout = "";
    const readers = [
      collect(child.stdout, (text, bytes) => {
        output = tail(output + text);
        stdout = tail(stdout + text);
        if (options.show) writeAll(Deno.stdout, bytes);
      }),
      collect(child.stderr, (text, bytes) => {
        output = tail(output + text);
        if (options.show) writeAll(Deno.stderr, bytes);
      }),
    ];
    const { success, code, signal } = await child.status;
    if (timedOut || interrupted) killGroup(child.pid, "SIGKILL"); // those that ignored SIGTERM
    timers.push(setTimeout(() => readers.forEach((reader) => reader.cancel()), DRAIN_MS));
    await Promise.all(readers.map((reader) => reader.done));

    if (interrupted) throw new Error(`interrupted while "${program}" ran`);
    if (timedOut) {
      const ending = `not done after ${options.timeLimitMs / 1000} s`;
      return { success: false, ending, output, stdout };
    }
    const ending = signal === null ? `exit code ${code}` : `signal ${signal}`;
    return { success, ending, output, stdout };
  } finally {
    for (const timer of timers) clearTimeout(timer);
    for (const signal of signals) Deno.removeSignalListener(signal, interrupt);
  }
}

/** The last lines of an output, for a message. */
export function lastLines(output: string, count: number): string {
  return output.trimEnd().split("\n").slice(-count).join("\n");
}

function tail(text: string): string {
  return text.length > OUTPUT_LENGTH_MAX ? text.slice(-OUTPUT_LENGTH_MAX) : text;
}

function killGroup(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // the group is gone: nothing to do
  }
}

function writeAll(to: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(to.writeSync(rest));
}

function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (text: string, bytes: Uint8Array) => void,
): { readonly done: Promise<void>; cancel(): void } {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  const run = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      take(decoder.decode(value, { stream: true }), value);
    }
  };
  return { done: run(), cancel: () => void reader.cancel() };
}
