// The C library's calls as errors with names: opening libc, errno, C strings.
// Which calls there are stands beside what uses them: files.ts, sockets.ts, poll.ts, process.ts.

/** glibc's name, the same on every Linux that a Deno executable runs on. */
const LIBC = "libc.so.6";

const symbols = {
  /** int *__errno_location(void); one address per thread, this one is the main thread's. */
  __errno_location: { parameters: [], result: "pointer" },
  /** char *strerror(int); static memory. */
  strerror: { parameters: ["i32"], result: "pointer" },
  /** const char *strerrorname_np(int); glibc 2.32 and later. */
  strerrorname_np: { parameters: ["i32"], result: "pointer", optional: true },
} as const;

/** Numbers of the errors that this program tells apart (Linux, all architectures). */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  ENOEXEC: 8,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EINVAL: 22,
  ENOSPC: 28,
  EROFS: 30,
  EPIPE: 32,
  ENOLCK: 37,
  ENOSYS: 38,
  ECONNRESET: 104,
  ETIMEDOUT: 110,
  EINPROGRESS: 115,
} as const;

/** A call of the C library that failed. */
export class SystemError extends Error {
  override name = "SystemError";
  constructor(
    /** The C function. */
    readonly call: string,
    readonly errno: number,
    /** errno's name, as `ENOSPC`. */
    readonly code: string,
    /** errno in words, as strerror(3) says it. */
    readonly reason: string,
    /** What it was done to: a path or an address. */
    readonly subject?: string,
  ) {
    super(`${call}${subject === undefined ? "" : ` '${subject}'`}: ${reason} (${code})`);
  }
}

/** A NUL-terminated string for a `const char *` that lives as long as the call. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError(`a C string cannot hold NUL: '${text}'`);
  return new TextEncoder().encode(text + "\0");
}

/** Pointer to a buffer; it must be kept alive, and not be resized, as long as C uses it. */
export function pointerTo(bytes: Uint8Array<ArrayBuffer>): Deno.PointerValue {
  // A small array lives inside V8's moving heap until its buffer was asked for.
  void bytes.buffer;
  return Deno.UnsafePointer.of(bytes);
}

/** The same as a number, for a structure that holds it. */
export function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(pointerTo(bytes));
}

/** Buffers whose addresses are kept: those of a few clients, and our own. */
const OTHERS_MAX = 8;

/**
 * The address of bytes that are handed to C again and again: a pointer costs a call 5 ns, a buffer,
 * whose address V8 is asked for each time, some 20 ns, and more when that code is not in the cache.
 */
export class Handed {
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #pointer: Deno.PointerValue = null;
  /** Those before: clients' commands and our own come by turns. */
  readonly #others: { bytes: Uint8Array<ArrayBuffer>; pointer: Deno.PointerValue }[] = [];

  /** The address of `bytes`, which are kept alive until some others are handed over. */
  pointer(bytes: Uint8Array<ArrayBuffer>): Deno.PointerValue {
    if (bytes !== this.#bytes) this.#change(bytes);
    return this.#pointer;
  }

  #change(bytes: Uint8Array<ArrayBuffer>): void {
    const others = this.#others;
    for (let at = 0; at < others.length; at++) {
      const other = others[at]!;
      if (other.bytes !== bytes) continue;
      this.#bytes = bytes;
      this.#pointer = other.pointer;
      return;
    }
    this.#bytes = bytes;
    this.#pointer = pointerTo(bytes);
    if (others.length === OTHERS_MAX) others.shift();
    others.push({ bytes, pointer: this.#pointer });
  }
}

/** Functions of the C library, each opened when it is first used; see {@linkcode openLazily}. */
export function openLibc<S extends Deno.ForeignLibraryInterface>(
  functions: S,
  always: readonly (keyof S)[] = [],
) {
  return openLazily(LIBC, functions, always);
}

/**
 * Calls of a function after which the runtime is asked to compile a trampoline for it: that takes
 * 170 us, and a call through it 20 ns. Before, a function is opened in 15 us, and a call takes 3 us.
 */
const CALLS_UNTIL_COMPILED = 6;

/**
 * Functions of a library, each opened when it is first used, and the library with the first of them:
 * no start needs them all. Callers read the function anew for each call, as it is replaced when it
 * turns out to be called often.
 *
 * V8 calls C without a detour (2,400 instructions) only what its caller has called each time, and
 * begins to note that with the first run of a caller that it knows to be hot from the build. What
 * every command needs is therefore compiled at once: `always`.
 */
export function openLazily<S extends Deno.ForeignLibraryInterface>(
  path: string,
  functions: S,
  always: readonly (keyof S)[] = [],
) {
  const opened = {} as Deno.DynamicLibrary<S>["symbols"];
  for (const name of Object.keys(functions) as (keyof S & string)[]) {
    const keep = (value: unknown) => {
      Object.defineProperty(opened, name, { configurable: true, value });
      return value;
    };
    const definition = functions[name]!;
    const open = () => keep(Deno.dlopen(path, { [name]: definition }).symbols[name]);
    // A variable, and a call in another thread, have no use for a trampoline.
    const get = "type" in definition || definition.nonblocking || always.includes(name)
      ? open
      : () => keep(uncompiled(path, definition.name ?? name, definition, open));
    Object.defineProperty(opened, name, { configurable: true, get });
  }
  return opened;
}

/** A function as it is until it was called often; null for an optional one that there is not. */
function uncompiled(
  path: string,
  name: string,
  definition: Deno.ForeignFunction,
  compile: () => unknown,
) {
  const { optional = false } = definition;
  const { address } = Deno.dlopen(path, { address: { name, type: "pointer", optional } }).symbols;
  if (address === null) return null;
  const pointer = new Deno.UnsafeFnPointer(
    address as Deno.PointerObject<typeof definition>,
    definition,
  );
  let left = CALLS_UNTIL_COMPILED;
  return (...args: Parameters<typeof pointer.call>) => {
    if (--left === 0) compile();
    return pointer.call(...args);
  };
}

/** errno of the main thread, and what it means. */
export class Libc {
  readonly #functions = openLibc(symbols);
  readonly #errno = new Int32Array(
    Deno.UnsafePointerView.getArrayBuffer(this.#functions.__errno_location()!, 4),
  );

  /** errno of the call just made; a plain call, not a nonblocking one. */
  get errno(): number {
    return this.#errno[0]!;
  }

  /** errno in words. */
  strerror(errno: number): string {
    const text = this.#functions.strerror(errno);
    return text === null ? `error ${errno}` : Deno.UnsafePointerView.getCString(text);
  }

  /** The error of the call just made. */
  error(call: string, subject?: string, errno = this.errno): SystemError {
    const name = this.#functions.strerrorname_np?.(errno) ?? null;
    const code = name === null ? `errno ${errno}` : Deno.UnsafePointerView.getCString(name);
    return new SystemError(call, errno, code, this.strerror(errno), subject);
  }

  /** Passes `result` on; -1 is thrown as the error it stands for. */
  check(result: number, call: string, subject?: string): number {
    if (result >= 0) return result;
    // Read before anything runs for the first time, which may change it.
    const { errno } = this;
    throw this.error(call, subject, errno);
  }
}
