// Another process for tests: it takes the lock on a file and keeps it until it is told to end.
const SCRIPT = `
  import { Files, O } from "${import.meta.resolve("../ffi/files.ts")}";
  import { Libc } from "${import.meta.resolve("../ffi/libc.ts")}";
  const files = new Files(new Libc());
  const outcome = files.lock(files.open(Deno.args[0], O.RDWR));
  Deno.stdout.writeSync(new TextEncoder().encode(outcome.taken ? "taken" : "refused"));
  for await (const _ of Deno.stdin.readable);
`;

export class LockHolder implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;

  private constructor(path: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", SCRIPT, path],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#output = this.#child.stdout.getReader();
  }

  /** Returns when the other process has the lock. */
  static async of(path: string): Promise<LockHolder> {
    const holder = new LockHolder(path);
    const said = new TextDecoder().decode((await holder.#output.read()).value);
    if (said === "taken") return holder;
    await holder[Symbol.asyncDispose]();
    throw new Error(`the other process could not take the lock: '${said}'`);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Ends it, which gives the lock back. */
  async end(): Promise<void> {
    if (!this.#child.stdin.locked) await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#output.cancel();
    await this.end();
  }
}
