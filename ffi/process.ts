// The process itself: its descriptors, variables and session, memory given back to the system,
// processors that it may run on, network interfaces. Who it is stands in users.ts.
import { cString, type Libc, openLibc } from "./libc.ts";

const symbols = {
  /** extern char *program_invocation_name; the symbol's own address. */
  program_invocation_name: { type: "pointer" },
  /** int malloc_trim(size_t pad) */
  malloc_trim: { parameters: ["usize"], result: "i32" },
  /** long sysconf(int name) */
  sysconf: { parameters: ["i32"], result: "i64" },
  /** unsigned if_nametoindex(const char *) */
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  /** off_t lseek(int fd, off_t offset, int whence) */
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  /** ssize_t readlink(const char *path, char *, size_t); no NUL at the end. */
  readlink: { parameters: ["buffer", "buffer", "u32"], result: "i32" },
  /** int setenv(const char *name, const char *value, int overwrite); copied. */
  setenv: { parameters: ["buffer", "buffer", "i32"], result: "i32" },
  unsetenv: { parameters: ["buffer"], result: "i32" },
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

const F_GETFD = 1;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const SEEK_SET = 0;
const SEEK_END = 2;
const PATH_MAX = 4096;

const SC_NPROCESSORS_ONLN = 84;

export class Process {
  readonly #c = openLibc(symbols);

  constructor(readonly libc: Libc) {}

  /** What it was called by: the first word of its argument vector, which its links differ in. */
  get calledAs(): string {
    const variable = new Deno.UnsafePointerView(this.#c.program_invocation_name!);
    const name = variable.getPointer();
    return name === null ? "" : Deno.UnsafePointerView.getCString(name);
  }

  hasInterface(name: string): boolean {
    return this.#c.if_nametoindex(cString(name)) !== 0;
  }

  /** How many processors the machine has; the process itself may be bound to fewer. */
  processors(): number {
    return Number(this.#c.sysconf(SC_NPROCESSORS_ONLN));
  }

  /** Gives the memory that start-up needed back to the system. */
  trim(): void {
    this.#c.malloc_trim(0n);
  }

  /** Whether a descriptor is open, and if so, whether a program that we start gets it, too. */
  inheritance(fd: number): "closed" | "kept" | "inherited" {
    const flags = this.#c.fcntl(fd, F_GETFD, 0);
    if (flags < 0) return "closed";
    return (flags & FD_CLOEXEC) === 0 ? "inherited" : "kept";
  }

  setInherited(fd: number, inherited: boolean): void {
    const flags = this.libc.check(this.#c.fcntl(fd, F_GETFD, 0), "fcntl", `descriptor ${fd}`);
    const changed = inherited ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC;
    this.libc.check(this.#c.fcntl(fd, F_SETFD, changed), "fcntl", `descriptor ${fd}`);
  }

  /** Moves to the start or the end of a file; where there is no place to move to, nothing happens. */
  seek(fd: number, to: "start" | "end"): void {
    this.#c.lseek(fd, 0n, to === "start" ? SEEK_SET : SEEK_END);
  }

  /** Writing to a descriptor never waits from now on. */
  setNonblocking(fd: number): void {
    const flags = this.libc.check(this.#c.fcntl(fd, F_GETFL, 0), "fcntl", `descriptor ${fd}`);
    this.libc.check(
      this.#c.fcntl(fd, F_SETFL, flags | O_NONBLOCK),
      "fcntl",
      `descriptor ${fd}`,
    );
  }

  /** What a descriptor leads to, as a path where it has one; undefined where it cannot be told. */
  targetOf(fd: number): string | undefined {
    const path = new Uint8Array(PATH_MAX);
    const length = this.#c.readlink(cString(`/proc/self/fd/${fd}`), path, path.length);
    return length < 0 ? undefined : new TextDecoder().decode(path.subarray(0, length));
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
