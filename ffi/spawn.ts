// Starting programs and waiting for them: posix_spawn(3), waitpid(2). Which program it is, what it is
// given and what for is the caller's affair.
import { type Ending, endingOf } from "./ending.ts";
import { addressOf, cString, Errno, type Libc, openLibc } from "./libc.ts";
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

/** What a program is given in the place of what we have ourselves. */
export interface Given {
  /** Addresses of strings NAME=VALUE. */
  environment?: readonly bigint[];
  /** What is ignored or blocked stays so through exec(2): pipelines, for one, count on SIGPIPE. */
  signals?: Signals["atStart"];
}

export class Spawner {
  readonly #c = openLibc(symbols);

  constructor(private readonly libc: Libc) {}

  /**
   * Starts `program`, looked for in PATH where it is no path, with the argument vector `words`, each
   * of them ended by NUL, and all descriptors that are not closed on exec. Returns its process id;
   * throws SystemError, ENOENT where there is no such program.
   */
  start(program: string, words: Uint8Array<ArrayBuffer>, given: Given = {}): number {
    const pid = new Int32Array(1);
    const error = this.#c.posix_spawnp(
      new Uint8Array(pid.buffer),
      cString(program),
      null,
      given.signals === undefined ? null : attributesOf(given.signals),
      vector(addressesIn(words)),
      vector(given.environment ?? this.environment().map(Deno.UnsafePointer.value)),
    );
    if (error !== 0) throw this.libc.error("start", program, error);
    return pid[0]!;
  }

  /** Our environment as it is now: strings NAME=VALUE, which the C library never frees. */
  environment(): Deno.PointerObject[] {
    return pointersAt(new Deno.UnsafePointerView(this.#c.environ!).getPointer(0));
  }

  /** Waits for the end of a child. */
  wait(pid: number): Ending {
    const status = new Int32Array(1);
    while (this.#c.waitpid(pid, new Uint8Array(status.buffer), 0) < 0) {
      if (this.libc.errno !== Errno.EINTR) throw this.libc.error("waitpid");
    }
    return endingOf(status[0]!);
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
}

/** Words one behind the other, each ended by NUL. */
export function nulEnded(words: readonly string[]): Uint8Array<ArrayBuffer> {
  const strings = words.map(cString);
  const all = new Uint8Array(strings.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const string of strings) {
    all.set(string, at);
    at += string.length;
  }
  return all;
}

/** Addresses of the NUL-ended words. They live as long as `words` does. */
export function addressesIn(words: Uint8Array<ArrayBuffer>): bigint[] {
  const addresses: bigint[] = [];
  if (words.length === 0) return addresses;
  const base = addressOf(words);
  for (let at = 0; at < words.length; at = words.indexOf(0, at) + 1) {
    addresses.push(base + BigInt(at));
  }
  return addresses;
}

/** Attributes that give signals their default action back, and the mask that is given. */
function attributesOf({ defaults, mask }: Signals["atStart"]): Uint8Array<ArrayBuffer> {
  const attr = new Uint8Array(attributes.size);
  attr[0] = POSIX_SPAWN_SETSIGDEF | (mask === undefined ? 0 : POSIX_SPAWN_SETSIGMASK);
  for (const signal of defaults) {
    attr[attributes.defaults + ((signal - 1) >> 3)]! |= 1 << ((signal - 1) & 7);
  }
  if (mask !== undefined) attr.set(mask, attributes.mask);
  return attr;
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

/** An array of pointers with NULL at its end. */
function vector(addresses: readonly bigint[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.from([...addresses, 0n]).buffer);
}
