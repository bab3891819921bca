// The denied calls as a program for the kernel's seccomp filter (classic BPF), as a pure function:
// table in, bytes out. Installing it is left to ffi/seccomp.ts.
import type { Architecture, Condition, DeniedCall } from "./denied_calls.ts";

/** What the filter does with a denied call. */
export type Action = "kill" | "log";

// linux/seccomp.h
export const SECCOMP_RET = {
  killProcess: 0x80000000,
  errno: 0x00050000,
  log: 0x7ffc0000,
  allow: 0x7fff0000,
} as const;

/** linux/audit.h: AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64 */
export const AUDIT_ARCH: Readonly<Record<Architecture, number>> = {
  x86_64: 0xc000003e,
  aarch64: 0xc00000b7,
};

/** Calls of the x32 interface have this bit; nothing here uses it. */
const X32_BIT = 0x40000000;
const ENOSYS = 38;

// linux/bpf_common.h, the instructions that are needed: load a word of the call's data, compare.
const BPF = {
  load: 0x20,
  jump: 0x05,
  jumpIfEqual: 0x15,
  jumpIfAtLeast: 0x35,
  jumpIfSet: 0x45,
  returns: 0x06,
} as const;
const INSTRUCTION_SIZE = 8;
/** BPF_MAXINSNS */
const PROGRAM_MAX = 4096;

/** `struct seccomp_data`: int nr, u32 arch, u64 instruction_pointer, u64 args[6]. */
const dataOffset = { number: 0, architecture: 4, arguments: 16 } as const;

/** Calls that are searched one by one; beyond that the list is halved. */
const LINEAR_MAX = 4;

interface Rule {
  number: number;
  call: DeniedCall;
}

/**
 * The filter for one architecture as `struct sock_filter[]`. Calls through the interfaces of other
 * architectures (32-bit programs, x32) are denied, too: their numbers mean other calls.
 */
export function buildFilter(
  calls: readonly DeniedCall[],
  architecture: Architecture,
  action: Action,
): Uint8Array<ArrayBuffer> {
  const rules: Rule[] = [];
  for (const call of calls) {
    const number = call.numbers[architecture];
    if (number !== undefined) rules.push({ number, call });
  }
  rules.sort((a, b) => a.number - b.number);
  const program = new Program(action);
  program.load(dataOffset.architecture);
  program.denyUnless(BPF.jumpIfEqual, AUDIT_ARCH[architecture]);
  program.load(dataOffset.number);
  if (architecture === "x86_64") program.denyIf(BPF.jumpIfAtLeast, X32_BIT);
  search(program, rules, 0, rules.length);
  return program.bytes();
}

/** Looks for the call's number by halves; every way through it ends with a return. */
function search(program: Program, rules: readonly Rule[], begin: number, end: number): void {
  if (end - begin > LINEAR_MAX) {
    const middle = (begin + end) >> 1;
    const lower = program.unlessAtLeast(rules[middle]!.number);
    search(program, rules, middle, end);
    program.here(lower);
    search(program, rules, begin, middle);
    return;
  }
  for (let at = begin; at < end; at++) {
    const { number, call } = rules[at]!;
    const next = program.unlessEqual(number);
    answer(program, call);
    program.here(next);
  }
  program.returns(SECCOMP_RET.allow);
}

function answer(program: Program, { when, missing }: DeniedCall): void {
  if (missing) return program.returns(SECCOMP_RET.errno | ENOSYS);
  if (when === undefined) return program.deny();
  for (const condition of when) test(program, condition);
  program.returns(SECCOMP_RET.allow);
}

/** Denies when the condition holds, else goes on behind. */
function test(program: Program, condition: Condition): void {
  const low = dataOffset.arguments + 8 * condition.argument;
  program.load(low);
  if ("anyOf" in condition) return program.denyIf(BPF.jumpIfSet, condition.anyOf);
  if ("without" in condition) return program.denyUnless(BPF.jumpIfSet, condition.without);
  if ("isNot" in condition) return program.denyUnless(BPF.jumpIfEqual, condition.isNot);
  if ("is" in condition) {
    for (const value of condition.is) program.denyIf(BPF.jumpIfEqual, value);
    return;
  }
  program.denyUnless(BPF.jumpIfEqual, 0);
  program.load(low + 4);
  program.denyUnless(BPF.jumpIfEqual, 0);
}

/** A place in the program whose jump is not known yet. */
interface Jump {
  index: number;
  /** Only a plain jump reaches further than 255 instructions. */
  plain: boolean;
}

/**
 * Instructions in their order: u16 code, u8 jump when the comparison holds, u8 when it does not, u32
 * value. Jumps count the instructions that they skip.
 */
class Program {
  readonly #bytes = new Uint8Array(PROGRAM_MAX * INSTRUCTION_SIZE);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #denied: number;
  #count = 0;

  constructor(action: Action) {
    this.#denied = action === "kill" ? SECCOMP_RET.killProcess : SECCOMP_RET.log;
  }

  load(offset: number): void {
    this.#step(BPF.load, offset, 0, 0);
  }

  returns(value: number): void {
    this.#step(BPF.returns, value, 0, 0);
  }

  deny(): void {
    this.returns(this.#denied);
  }

  denyIf(comparison: number, value: number): void {
    this.#step(comparison, value, 0, 1);
    this.deny();
  }

  denyUnless(comparison: number, value: number): void {
    this.#step(comparison, value, 1, 0);
    this.deny();
  }

  /** Goes elsewhere for another word than `value`. */
  unlessEqual(value: number): Jump {
    this.#step(BPF.jumpIfEqual, value, 0, 0);
    return { index: this.#count - 1, plain: false };
  }

  /** Goes elsewhere for a word below `value`. */
  unlessAtLeast(value: number): Jump {
    this.#step(BPF.jumpIfAtLeast, value, 1, 0);
    this.#step(BPF.jump, 0, 0, 0);
    return { index: this.#count - 1, plain: true };
  }

  /** Where a jump leads. */
  here({ index, plain }: Jump): void {
    const skipped = this.#count - index - 1;
    const at = index * INSTRUCTION_SIZE;
    if (plain) this.#view.setUint32(at + 4, skipped, true);
    else if (skipped <= 255) this.#view.setUint8(at + 3, skipped);
    else throw new RangeError("a jump is too far for the kernel");
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#count * INSTRUCTION_SIZE);
  }

  #step(code: number, value: number, then: number, otherwise: number): void {
    if (this.#count === PROGRAM_MAX) throw new RangeError("the filter is too long for the kernel");
    const at = this.#count++ * INSTRUCTION_SIZE;
    this.#view.setUint16(at, code, true);
    this.#view.setUint8(at + 2, then);
    this.#view.setUint8(at + 3, otherwise);
    this.#view.setUint32(at + 4, value, true);
  }
}
