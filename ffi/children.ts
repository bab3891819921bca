// Programs that this process starts and has to wait for: found through PATH, with our standard streams,
// and with environment and signals as we got them ourselves. Reaps whatever ends below us, which is
// the duty of a process with the number 1. What they are for is the caller's affair.
import { type Libc, openLibc } from "./libc.ts";
import { addressesIn, type Ended, nulEnded, Spawner } from "./spawn.ts";

const symbols = {
  kill: { parameters: ["i32", "i32"], result: "i32" },
  /** int sigaction(int, const struct sigaction *new, struct sigaction *old) */
  sigaction: { parameters: ["i32", "pointer", "buffer"], result: "i32" },
  /** sighandler_t signal(int, sighandler_t) */
  signal: { parameters: ["i32", "pointer"], result: "pointer" },
  getpgrp: { parameters: [], result: "i32" },
  /** pid_t tcgetpgrp(int fd) */
  tcgetpgrp: { parameters: ["i32"], result: "i32" },
} as const;

/** The runtime ignores it, and exec(2) would hand that on: pipelines count on the default. */
const SIGPIPE = 13;
/** `struct sigaction` begins with the handler; it is far smaller than this. */
const SIGACTION_SIZE = 256;
const SIG_IGN = 1n;

/** Variables and their values; undefined: must not be set. */
export type Variables = Readonly<Record<string, string | undefined>>;

export class Children {
  readonly #c = openLibc(symbols);
  readonly #spawner: Spawner;
  /**
   * The environment as it is now: what is set in it later is for this process. The C library never
   * frees the strings, also where it replaces them.
   */
  readonly #environment: readonly Deno.PointerObject[];

  constructor(libc: Libc) {
    this.#spawner = new Spawner(libc);
    this.#environment = this.#spawner.environment();
  }

  /**
   * Starts the program that the first of `words` names, looked for in PATH, with `variables` in the
   * place of ours. Returns its process id; throws SystemError, ENOENT where there is no such
   * program.
   */
  start(words: readonly string[], variables: Variables): number {
    const assignments = nulEnded(
      Object.entries(variables).flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${value}`]
      ),
    );
    const kept = this.#environment.filter((string) => !Object.hasOwn(variables, nameIn(string)));
    const environment = [...kept.map(Deno.UnsafePointer.value), ...addressesIn(assignments)];
    return this.#spawner.start(words[0]!, nulEnded(words), { environment, defaultSignal: SIGPIPE });
  }

  /** All children that ended and were not told of yet, adopted ones among them. */
  reap(): Ended[] {
    return this.#spawner.reap();
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

/** The name in a string `NAME=VALUE`. */
function nameIn(string: Deno.PointerObject): string {
  const text = Deno.UnsafePointerView.getCString(string);
  const end = text.indexOf("=");
  return end < 0 ? text : text.slice(0, end);
}
