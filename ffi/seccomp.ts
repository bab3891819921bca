// The kernel's filter for system calls, installed on all threads of the process at once. What is
// filtered is sandbox/'s decision.
import { addressOf, type Libc, openLibc } from "./libc.ts";

// Both functions take a varying number of arguments in C; registers are the same for these.
const symbols = {
  /** int prctl(int option, unsigned long, unsigned long, unsigned long, unsigned long) */
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  /** long syscall(SYS_seccomp, unsigned operation, unsigned flags, void *) */
  syscall: { parameters: ["i64", "u32", "u32", "buffer"], result: "i64" },
} as const;

const SYS_SECCOMP = Deno.build.arch === "aarch64" ? 277n : 317n;
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_GET_ACTION_AVAIL = 2;
const SECCOMP_FILTER_FLAG_TSYNC = 1;
const INSTRUCTION_SIZE = 8;
/** `struct sock_fprog`: unsigned short len, pad, struct sock_filter *. */
const PROGRAM_SIZE = 16;
const PROGRAM_POINTER = 8;

export class Seccomp {
  readonly #c = openLibc(symbols);

  constructor(private readonly libc: Libc) {}

  /** Whether the kernel knows an action (SECCOMP_RET_...); all it knows exist since Linux 4.14. */
  knows(action: number): boolean {
    const value = new Uint8Array(Uint32Array.of(action).buffer);
    return this.#c.syscall(SYS_SECCOMP, SECCOMP_GET_ACTION_AVAIL, 0, value) === 0n;
  }

  /** Installs a filter for good, on every thread there is and will be. */
  install(filter: Uint8Array<ArrayBuffer>): void {
    this.libc.check(this.#c.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n), "prctl");
    const program = new Uint8Array(PROGRAM_SIZE);
    const view = new DataView(program.buffer);
    view.setUint16(0, filter.length / INSTRUCTION_SIZE, true);
    view.setBigUint64(PROGRAM_POINTER, addressOf(filter), true);
    const result = this.#c.syscall(
      SYS_SECCOMP,
      SECCOMP_SET_MODE_FILTER,
      SECCOMP_FILTER_FLAG_TSYNC,
      program,
    );
    if (result < 0n) throw this.libc.error("seccomp");
    if (result > 0n) throw new Error(`thread ${result} has a filter of its own`);
  }
}
