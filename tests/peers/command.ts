// Runs one program to its end within a bound and hands back what it said.
// Which programs are run, and what their words mean, is left to the callers.

/** What a finished program left behind. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and how long a program may run. */
export interface RunOptions {
  readonly timeoutMs: number;
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/** Runs `argv` and waits for it; any exit code is an answer, a missed bound is an error. */
export async function run(argv: readonly string[], options: RunOptions): Promise<Finished> {
  const [program, ...args] = argv;
  if (program === undefined) throw new TypeError("run: there is no program to run");
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, options.timeoutMs);
  try {
    const output = await child.output();
    if (late) {
      throw new Error(`"${argv.join(" ")}" was ended after its ${options.timeoutMs / 1000} s`);
    }
    const text = new TextDecoder();
    return {
      code: output.code,
      stdout: text.decode(output.stdout),
      stderr: text.decode(output.stderr),
    };
  } finally {
    clearTimeout(timer);
  }
}

/** As `run`, but any exit code other than 0 is an error that shows the program's last words. */
export async function mustRun(argv: readonly string[], options: RunOptions): Promise<Finished> {
  const finished = await run(argv, options);
  if (finished.code !== 0) {
    throw new Error(`"${argv.join(" ")}" exited with ${finished.code}:\n${lastWords(finished)}`);
  }
  return finished;
}

/** The end of what a program printed: the part that says why it failed. */
export function lastWords(finished: Finished): string {
  return `${finished.stdout}\n${finished.stderr}`.trim().split("\n").slice(-12).join("\n");
}
