// Starting this executable once more beside itself, with all that it was started with, and waiting
// for the copy: what fork(2) would be for a process without threads. What the two tell each other
// is the daemon's affair.
import { type Ending, endingOf } from "./ending.ts";
import { addressOf, cString, Errno, type Libc, openLibc } from "./libc.ts";

const symbols = {
  /** extern char **environ; the symbol's own address, as setenv(3) moves what it points to. */
  environ: { type: "pointer" },
  /** int setenv(const char *name, const char *value, int overwrite); copied. */
  setenv: { parameters: ["buffer", "buffer", "i32"], result: "i32" },
  unsetenv: { parameters: ["buffer"], result: "i32" },
  /**
   * int posix_spawn(pid_t *, const char *path, const posix_spawn_file_actions_t *,
   * const posix_spawnattr_t *, char *const argv[], char *const envp[]); returns an errno.
   */
  posix_spawn: {
    parameters: ["buffer", "buffer", "pointer", "pointer", "buffer", "pointer"],
    result: "i32",
  },
  /** pid_t waitpid(pid_t, int *status, int options) */
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  /** int pipe2(int fds[2], int flags) */
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  setsid: { parameters: [], result: "i32" },
  getppid: { parameters: [], result: "i32" },
  /** By tgkill(2), which the filter lets through. */
  raise: { parameters: ["i32"], result: "i32" },
  /** sighandler_t signal(int, sighandler_t); NULL is SIG_DFL. */
  signal: { parameters: ["i32", "pointer"], result: "pointer" },
} as const;

const O_CLOEXEC = 0o2000000;

export class Spawner {
  readonly #c = openLibc(symbols);

  constructor(private readonly libc: Libc) {}

  /**
   * Starts `path` with the argument vector `words`, each of them ended by NUL, with our environment
   * and all descriptors that are not closed on exec. Returns its process id.
   */
  start(path: string, words: Uint8Array<ArrayBuffer>): number {
    const argv = pointersTo(words);
    const environment = new Deno.UnsafePointerView(this.#c.environ!).getPointer(0);
    const pid = new Int32Array(1);
    const error = this.#c.posix_spawn(
      new Uint8Array(pid.buffer),
      cString(path),
      null,
      null,
      new Uint8Array(argv.buffer),
      environment,
    );
    if (error !== 0) throw this.libc.error("posix_spawn", path, error);
    return pid[0]!;
  }

  /** Waits for the end of a child. */
  wait(pid: number): Ending {
    const status = new Int32Array(1);
    while (this.#c.waitpid(pid, new Uint8Array(status.buffer), 0) < 0) {
      if (this.libc.errno !== Errno.EINTR) throw this.libc.error("waitpid");
    }
    return endingOf(status[0]!);
  }

  /** A pipe whose ends are closed on exec. */
  pipe(): { read: number; write: number } {
    const ends = new Int32Array(2);
    this.libc.check(this.#c.pipe2(new Uint8Array(ends.buffer), O_CLOEXEC), "pipe2");
    return { read: ends[0]!, write: ends[1]! };
  }

  /** Makes `to` another name of `from`. */
  duplicate(from: number, to: number): void {
    this.libc.check(this.#c.dup2(from, to), "dup2");
  }

  setVariable(name: string, value: string | undefined): void {
    const result = value === undefined
      ? this.#c.unsetenv(cString(name))
      : this.#c.setenv(cString(name), cString(value), 1);
    this.libc.check(result, "setenv", name);
  }

  /** Leaves the terminal's session. False where we lead one already, which does as well. */
  newSession(): boolean {
    return this.#c.setsid() >= 0;
  }

  get parent(): number {
    return this.#c.getppid();
  }

  /** Ends this process by a signal's default action. */
  endBy(signal: number): void {
    this.#c.signal(signal, null);
    this.#c.raise(signal);
  }
}

/** Addresses of the NUL-ended words, then NULL. They live as long as `words` does. */
function pointersTo(words: Uint8Array<ArrayBuffer>): BigUint64Array<ArrayBuffer> {
  const base = addressOf(words);
  const addresses: bigint[] = [];
  for (let at = 0; at < words.length; at = words.indexOf(0, at) + 1) {
    addresses.push(base + BigInt(at));
  }
  const pointers = new BigUint64Array(addresses.length + 1);
  pointers.set(addresses);
  return pointers;
}
