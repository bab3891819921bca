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
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EINVAL: 22,
  ENOSPC: 28,
  EPIPE: 32,
  ENOSYS: 38,
  ECONNRESET: 104,
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

/** Functions of the C library, each opened when it is first used. */
export function openLibc<S extends Deno.ForeignLibraryInterface>(functions: S) {
  return openLazily(LIBC, functions);
}

/**
 * Functions of a library, each opened when it is first used: the runtime compiles a trampoline of
 * about 0.2 ms for every symbol that it opens, and no start needs them all. The library itself is
 * opened with the first of them, too.
 */
export function openLazily<S extends Deno.ForeignLibraryInterface>(path: string, functions: S) {
  const opened = {} as Deno.DynamicLibrary<S>["symbols"];
  for (const name of Object.keys(functions) as (keyof S & string)[]) {
    Object.defineProperty(opened, name, {
      configurable: true,
      get() {
        const { symbols } = Deno.dlopen(path, { [name]: functions[name]! });
        Object.defineProperty(opened, name, { value: symbols[name] });
        return symbols[name];
      },
    });
  }
  return opened;
}

/**
 * Functions that are called a few times at most: no trampoline is compiled for them, which is four
 * times as fast for the first call, and twenty times as slow for each of many.
 */
export function openRarely<S extends Record<string, Deno.ForeignFunction>>(
  functions: S,
  path = LIBC,
) {
  const opened = {} as Deno.DynamicLibrary<S>["symbols"];
  for (const name of Object.keys(functions)) {
    Object.defineProperty(opened, name, {
      configurable: true,
      get() {
        const definition = functions[name]!;
        const { address } = Deno.dlopen(path, { address: { name, type: "pointer" } }).symbols;
        const pointer = new Deno.UnsafeFnPointer(
          address as Deno.PointerObject<typeof definition>,
          definition,
        );
        const call = pointer.call.bind(pointer);
        Object.defineProperty(opened, name, { value: call });
        return call;
      },
    });
  }
  return opened;
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
    if (result < 0) throw this.error(call, subject);
    return result;
  }
}
