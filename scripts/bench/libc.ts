// The C library's calls for the benchmark's clients: blocking sockets, the clock, a started program.
// Plain synchronous calls, as the client must not be what is measured. What is sent is the jobs'.

const SYMBOLS = {
  // int socket(int domain, int type, int protocol)
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int connect(int fd, const struct sockaddr *address, socklen_t length)
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  // ssize_t write(int fd, const void *bytes, size_t length); lengths here are small, and a
  // 64-bit parameter would cost a BigInt
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // ssize_t read(int fd, void *bytes, size_t length)
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32" },
  // int pipe2(int fds[2], int flags)
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // int clock_gettime(clockid_t clock, struct timespec *time)
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  // int clock_nanosleep(clockid_t, int flags, const struct timespec *time, struct timespec *rest)
  clock_nanosleep: { parameters: ["i32", "i32", "buffer", "pointer"], result: "i32" },
  // int prctl(int option, unsigned long, ...); the further arguments are zero here
  prctl: { parameters: ["i32", "usize", "usize", "usize", "usize"], result: "i32" },
  // int sched_setaffinity(pid_t thread, size_t size, const cpu_set_t *processors)
  sched_setaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  // int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
  //   const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
  posix_spawn: {
    parameters: ["buffer", "buffer", "buffer", "pointer", "buffer", "buffer"],
    result: "i32",
  },
  // int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions)
  posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
  // int posix_spawn_file_actions_addopen(actions, int fd, const char *path, int flags, mode_t mode)
  posix_spawn_file_actions_addopen: {
    parameters: ["buffer", "i32", "buffer", "i32", "u32"],
    result: "i32",
  },
  // int posix_spawn_file_actions_adddup2(actions, int fd, int new_fd)
  posix_spawn_file_actions_adddup2: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  // int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
  posix_spawn_file_actions_destroy: { parameters: ["buffer"], result: "i32" },
  // pid_t waitpid(pid_t pid, int *status, int options)
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // int kill(pid_t pid, int signal)
  kill: { parameters: ["i32", "i32"], result: "i32" },
  // int *__errno_location(void)
  __errno_location: { parameters: [], result: "pointer" },
} as const;

/** The functions above. */
export type Functions = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** The C library, opened for one job. */
export class Libc {
  readonly call: Functions = Deno.dlopen("libc.so.6", SYMBOLS).symbols;

  /** Passes a result on; a negative one is thrown with errno. */
  check(call: string, result: number): number {
    if (result < 0) throw new Error(`${call} failed, errno ${this.errno}`);
    return result;
  }

  get errno(): number {
    const location = this.call.__errno_location();
    return location === null ? 0 : new Deno.UnsafePointerView(location).getInt32(0);
  }
}

const CLOCK_MONOTONIC = 1;
const TIMER_ABSTIME = 1;
const PR_SET_TIMERSLACK = 29;

/** CLOCK_MONOTONIC, and sleeping by it; neither makes garbage. */
export class Clock {
  readonly #call: Functions;
  // struct timespec { time_t tv_sec; long tv_nsec; }, of which the lower halves are enough
  readonly #halves = new Int32Array(4);
  readonly #time = new Uint8Array(this.#halves.buffer);
  readonly #begin: number;

  constructor(libc: Libc) {
    this.#call = libc.call;
    this.#call.clock_gettime(CLOCK_MONOTONIC, this.#time);
    this.#begin = this.#halves[0]!;
    // The usual slack of 50 us would lengthen each sleep.
    libc.check("prctl", this.#call.prctl(PR_SET_TIMERSLACK, 1n, 0n, 0n, 0n));
  }

  /** Microseconds since about the clock was made. */
  now(): number {
    this.#call.clock_gettime(CLOCK_MONOTONIC, this.#time);
    return (this.#halves[0]! - this.#begin) * 1e6 + this.#halves[2]! / 1e3;
  }

  /** Sleeps until `now()` gives `timeUs`. */
  sleepUntil(timeUs: number): void {
    const seconds = Math.floor(timeUs / 1e6);
    this.#halves[0] = this.#begin + seconds;
    this.#halves[2] = (timeUs - seconds * 1e6) * 1e3;
    this.#call.clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, this.#time, null);
  }
}

/** The CPU time that all threads of another process took so far, those that ended included. */
export class ProcessorClock {
  readonly #call: Functions;
  readonly #clock: number;
  readonly #time = new BigInt64Array(2);

  constructor(libc: Libc, pid: number) {
    this.#call = libc.call;
    // Linux: the inverted process id above three bits that ask for the scheduler's clock.
    this.#clock = (~pid << 3) | 2;
    libc.check("clock_gettime", this.#read());
  }

  /** Microseconds. */
  now(): number {
    this.#read();
    return Number(this.#time[0]!) * 1e6 + Number(this.#time[1]!) / 1e3;
  }

  #read(): number {
    return this.#call.clock_gettime(this.#clock, new Uint8Array(this.#time.buffer));
  }
}

const CPU_SET_SIZE = 128;

/** Binds the calling thread, and what it starts from now on, to these processors. */
export function bindThread(libc: Libc, processors: readonly number[]): void {
  const set = new Uint8Array(CPU_SET_SIZE);
  for (const processor of processors) {
    set[processor >> 3] = (set[processor >> 3] ?? 0) | 1 << (processor & 7);
  }
  libc.check(
    "sched_setaffinity",
    libc.call.sched_setaffinity(0, BigInt(CPU_SET_SIZE), set),
  );
}

/** Where the bytes are, for a structure of C that points to them; they must outlive it. */
export function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}
