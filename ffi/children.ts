// Programs that this process starts and has to wait for: found through PATH, with our environment
// and standard streams, and with the signals as we got them ourselves. Reaps whatever ends below
// us, which is the duty of a process with the number 1. What they are for is the caller's affair.
import { cString, Errno, type Libc, openLibc } from "./libc.ts";
import type { Ending } from "./spawn.ts";

const symbols = {
  /** extern char **environ; the symbol's own address, as setenv(3) moves what it points to. */
  environ: { type: "pointer" },
  /**
   * int posix_spawnp(pid_t *, const char *file, const posix_spawn_file_actions_t *,
   * const posix_spawnattr_t *, char *const argv[], char *const envp[]); returns an errno.
   */
  posix_spawnp: {
    parameters: ["buffer", "buffer", "pointer", "buffer", "buffer", "pointer"],
    result: "i32",
  },
  /** pid_t waitpid(pid_t, int *status, int options) */
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  /** int sigaction(int, const struct sigaction *new, struct sigaction *old) */
  sigaction: { parameters: ["i32", "pointer", "buffer"], result: "i32" },
  /** sighandler_t signal(int, sighandler_t) */
  signal: { parameters: ["i32", "pointer"], result: "pointer" },
  getpgrp: { parameters: [], result: "i32" },
  /** pid_t tcgetpgrp(int fd) */
  tcgetpgrp: { parameters: ["i32"], result: "i32" },
} as const;

/**
 * `posix_spawnattr_t` of glibc (spawn.h): short flags, pid_t group, the signals that get their
 * default action back, the signal mask, and more that stays zero.
 */
const attributes = { size: 336, defaults: 8 } as const;
const POSIX_SPAWN_SETSIGDEF = 4;
/** The runtime ignores it, and exec(2) would hand that on: pipelines count on the default. */
const SIGPIPE = 13;
const WNOHANG = 1;
/** `struct sigaction` begins with the handler; it is far smaller than this. */
const SIGACTION_SIZE = 256;
const SIG_IGN = 1n;

/** A child that is no more. */
export interface Ended {
  pid: number;
  ending: Ending;
}

export class Children {
  readonly #c = openLibc(symbols);

  constructor(private readonly libc: Libc) {}

  /**
   * Starts the program that the first of `words` names, looked for in PATH. Returns its process id;
   * throws SystemError, ENOENT where there is no such program.
   */
  start(words: readonly string[]): number {
    const attr = new Uint8Array(attributes.size);
    attr[0] = POSIX_SPAWN_SETSIGDEF;
    attr[attributes.defaults + ((SIGPIPE - 1) >> 3)] = 1 << ((SIGPIPE - 1) & 7);
    const strings = words.map(cString);
    const argv = new BigUint64Array(strings.length + 1);
    strings.forEach((string, index) => argv[index] = addressOf(string));
    const pid = new Int32Array(1);
    const error = this.#c.posix_spawnp(
      new Uint8Array(pid.buffer),
      strings[0]!,
      null,
      attr,
      new Uint8Array(argv.buffer),
      new Deno.UnsafePointerView(this.#c.environ!).getPointer(0),
    );
    if (error === 0) return pid[0]!;
    throw this.libc.error("start", words[0], error);
  }

  /** All children that ended and were not told of yet, adopted ones among them. */
  reap(): Ended[] {
    const ended: Ended[] = [];
    const status = new Int32Array(1);
    for (;;) {
      const pid = this.#c.waitpid(-1, new Uint8Array(status.buffer), WNOHANG);
      if (pid > 0) ended.push({ pid, ending: endingOf(status[0]!) });
      else if (pid === 0 || this.libc.errno !== Errno.EINTR) return ended;
    }
  }

  /** Sends a signal; to a process that is no more, it is lost. */
  signal(pid: number, signal: number): void {
    this.#c.kill(pid, signal);
  }

  /** Whether who started us wants this process to ignore a signal (nohup, a shell's `&`). */
  ignored(signal: number): boolean {
    const action = new Uint8Array(SIGACTION_SIZE);
    return this.#c.sigaction(signal, null, action) === 0 &&
      new BigUint64Array(action.buffer)[0] === SIG_IGN;
  }

  /** Ignores a signal, whatever was to happen with it; programs that we start ignore it, too. */
  ignore(signal: number): void {
    this.#c.signal(signal, Deno.UnsafePointer.create(SIG_IGN));
  }

  /** Whether our process group is the one that a terminal's keys signal. */
  inForeground(terminal: number): boolean {
    return this.#c.tcgetpgrp(terminal) === this.#c.getpgrp();
  }
}

/** What the status word of waitpid(2) says. */
function endingOf(status: number): Ending {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff } : { signal };
}

/** Address of a buffer; it must be kept alive as long as C uses it. */
function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  // A small array lives inside V8's moving heap until its buffer was asked for.
  void bytes.buffer;
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}
