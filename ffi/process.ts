// The process itself: users and groups by name, memory given back to the system, processors that it
// may run on, network interfaces.
import { cString, type Libc, openLibc } from "./libc.ts";

const symbols = {
  getuid: { parameters: [], result: "u32" },
  /** int malloc_trim(size_t pad) */
  malloc_trim: { parameters: ["usize"], result: "i32" },
  /** int sched_getaffinity(pid_t, size_t size, cpu_set_t *) */
  sched_getaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  /** unsigned if_nametoindex(const char *) */
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  /** struct passwd *getpwnam(const char *); static memory: char *name, *passwd; uid_t, gid_t. */
  getpwnam: { parameters: ["buffer"], result: "pointer" },
  /** struct group *getgrnam(const char *); static memory: char *name, *passwd; gid_t. */
  getgrnam: { parameters: ["buffer"], result: "pointer" },
} as const;

/** Behind the two pointers that `struct passwd` and `struct group` begin with. */
const ID_OFFSET = 16;

export class Process {
  readonly #c = openLibc(symbols);

  constructor(readonly libc: Libc) {}

  get uid(): number {
    return this.#c.getuid();
  }

  /** User id and primary group of a user name, or undefined where there is no such user. */
  user(name: string): { uid: number; gid: number } | undefined {
    const entry = this.#c.getpwnam(cString(name));
    if (entry === null) return undefined;
    const view = new Deno.UnsafePointerView(entry);
    return { uid: view.getUint32(ID_OFFSET), gid: view.getUint32(ID_OFFSET + 4) };
  }

  group(name: string): number | undefined {
    const entry = this.#c.getgrnam(cString(name));
    return entry === null ? undefined : new Deno.UnsafePointerView(entry).getUint32(ID_OFFSET);
  }

  hasInterface(name: string): boolean {
    return this.#c.if_nametoindex(cString(name)) !== 0;
  }

  /** How many processors this process may run on (taskset, cpusets). */
  processors(): number {
    const set = new Uint8Array(128);
    if (this.#c.sched_getaffinity(0, BigInt(set.length), set) < 0) return 1;
    let count = 0;
    for (let byte of set) for (; byte > 0; byte &= byte - 1) count++;
    return count;
  }

  /** Gives the memory that start-up needed back to the system. */
  trim(): void {
    this.#c.malloc_trim(0n);
  }
}
