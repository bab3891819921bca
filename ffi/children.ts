// Programs that this process starts and has to wait for: found through PATH, with our standard streams,
// and with environment and signals as we got them ourselves. Reaps whatever ends below us, which is
// the duty of a process with the number 1. What they are for is the caller's affair.
import { addressOf, cString, Errno, type Libc, openLibc } from "./libc.ts";
import { type Ending, endingOf } from "./ending.ts";
import type { Signals } from "./signals.ts";

const symbols = {
  /** extern char **environ; the symbol's own address, as setenv(3) moves what it points to. */
  environ: { type: "pointer" },
  /**
   * int posix_spawnp(pid_t *, const char *file, const posix_spawn_file_actions_t *,
   * const posix_spawnattr_t *, char *const argv[], char *const envp[]); returns an errno.
   */
  posix_spawnp: {
    parameters: ["buffer", "buffer", "pointer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  /** pid_t waitpid(pid_t, int *status, int options) */
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  /** pid_t getpgid(pid_t); 0 is this process. */
  getpgid: { parameters: ["i32"], result: "i32" },
} as const;

/**
 * `posix_spawnattr_t` of glibc (spawn.h): short flags, pid_t group, the signals that get their
 * default action back, the signal mask, and more that stays zero.
 */
const attributes = { size: 336, defaults: 8, mask: 136 } as const;
const POSIX_SPAWN_SETSIGDEF = 4;
const POSIX_SPAWN_SETSIGMASK = 8;
const WNOHANG = 1;
const POINTER_SIZE = 8;

/** A child that is no more. */
export interface Ended {
  pid: number;
  ending: Ending;
}

/** Variables and their values; undefined: must not be set. */
export type Variables = Readonly<Record<string, string | undefined>>;

export class Children {
  readonly #c = openLibc(symbols);
  /**
   * The environment as it is now: what is set in it later is for this process. The C library never
   * frees the strings, also where it replaces them.
   */
  readonly #environment: readonly Deno.PointerObject[];

  constructor(
    private readonly libc: Libc,
    private readonly signals: Pick<Signals, "atStart">,
  ) {
    this.#environment = pointersAt(new Deno.UnsafePointerView(this.#c.environ!).getPointer(0));
  }

  /**
   * Starts the program that the first of `words` names, looked for in PATH, with `variables` in the
   * place of ours. Returns its process id; throws SystemError, ENOENT where there is no such
   * program.
   */
  start(words: readonly string[], variables: Variables): number {
    // What is ignored or blocked stays so through exec(2): pipelines, for one, count on SIGPIPE.
    const attr = new Uint8Array(attributes.size);
    const { defaults, mask } = this.signals.atStart;
    attr[0] = POSIX_SPAWN_SETSIGDEF | (mask === undefined ? 0 : POSIX_SPAWN_SETSIGMASK);
    for (const signal of defaults) {
      attr[attributes.defaults + ((signal - 1) >> 3)]! |= 1 << ((signal - 1) & 7);
    }
    if (mask !== undefined) attr.set(mask, attributes.mask);
    const strings = words.map(cString);
    const argv = vector(strings.map(addressOf));
    const assignments = Object.entries(variables).flatMap(([name, value]) =>
      value === undefined ? [] : [cString(`${name}=${value}`)]
    );
    const kept = this.#environment.filter((string) => !Object.hasOwn(variables, nameIn(string)));
    const environment = vector([
      ...kept.map((string) => Deno.UnsafePointer.value(string)),
      ...assignments.map(addressOf),
    ]);
    const pid = new Int32Array(1);
    const error = this.#c.posix_spawnp(
      new Uint8Array(pid.buffer),
      strings[0]!,
      null,
      attr,
      argv,
      environment,
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

  /** Whether a process is in our process group, which is the one that a terminal's keys signal. */
  inOurGroup(pid: number): boolean {
    return this.#c.getpgid(pid) === this.#c.getpgid(0);
  }
}

/** What an array of pointers holds, up to its NULL. */
function pointersAt(array: Deno.PointerValue): Deno.PointerObject[] {
  const pointers: Deno.PointerObject[] = [];
  if (array === null) return pointers;
  const view = new Deno.UnsafePointerView(array);
  for (let offset = 0;; offset += POINTER_SIZE) {
    const pointer = view.getPointer(offset);
    if (pointer === null) return pointers;
    pointers.push(pointer);
  }
}

/** The name in a string `NAME=VALUE`. */
function nameIn(string: Deno.PointerObject): string {
  const text = Deno.UnsafePointerView.getCString(string);
  const end = text.indexOf("=");
  return end < 0 ? text : text.slice(0, end);
}

/** An array of pointers with NULL at its end. */
function vector(addresses: readonly bigint[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.from([...addresses, 0n]).buffer);
}
