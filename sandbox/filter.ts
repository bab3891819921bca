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

interface Instruction {
  code: number;
  /** Instructions to skip when the comparison holds, and when not. */
  then: number;
  otherwise: number;
  value: number;
}

interface Rule {
  number: number;
  body: Instruction[];
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
  const deny = returns(action === "kill" ? SECCOMP_RET.killProcess : SECCOMP_RET.log);
  const rules = calls.flatMap((call) => {
    const number = call.numbers[architecture];
    return number === undefined ? [] : [{ number, body: bodyOf(call, deny) }];
  });
  rules.sort((a, b) => a.number - b.number);
  return encode([
    load(dataOffset.architecture),
    ...ifEqual(AUDIT_ARCH[architecture], [], [deny]),
    load(dataOffset.number),
    ...(architecture === "x86_64"
      ? [step(BPF.jumpIfAtLeast, X32_BIT, { then: 0, otherwise: 1 }), deny]
      : []),
    ...search(rules),
  ]);
}

/** Looks for the call's number by halves; every way through it ends with a return. */
function search(rules: readonly Rule[]): Instruction[] {
  if (rules.length <= LINEAR_MAX) {
    return [
      ...rules.flatMap(({ number, body }) => ifEqual(number, body, [])),
      returns(SECCOMP_RET.allow),
    ];
  }
  const middle = rules.length >> 1;
  const lower = search(rules.slice(0, middle));
  return [
    // Only the plain jump reaches further than 255 instructions.
    step(BPF.jumpIfAtLeast, rules[middle]!.number, { then: 0, otherwise: 1 }),
    step(BPF.jump, lower.length),
    ...lower,
    ...search(rules.slice(middle)),
  ];
}

function bodyOf({ when, missing }: DeniedCall, deny: Instruction): Instruction[] {
  if (missing) return [returns(SECCOMP_RET.errno | ENOSYS)];
  if (when === undefined) return [deny];
  return [...when.flatMap((condition) => test(condition, deny)), returns(SECCOMP_RET.allow)];
}

/** Denies when the condition holds, else goes on behind. */
function test(condition: Condition, deny: Instruction): Instruction[] {
  const low = dataOffset.arguments + 8 * condition.argument;
  if ("anyOf" in condition) {
    return [load(low), step(BPF.jumpIfSet, condition.anyOf, { then: 0, otherwise: 1 }), deny];
  }
  if ("without" in condition) {
    return [load(low), step(BPF.jumpIfSet, condition.without, { then: 1, otherwise: 0 }), deny];
  }
  if ("is" in condition) {
    return [load(low), ...condition.is.flatMap((value) => ifEqual(value, [deny], []))];
  }
  if ("isNot" in condition) return [load(low), ...ifEqual(condition.isNot, [], [deny])];
  return [load(low), ...ifEqual(0, [], [deny]), load(low + 4), ...ifEqual(0, [], [deny])];
}

/** One of the two ways is empty. */
function ifEqual(value: number, then: Instruction[], otherwise: Instruction[]): Instruction[] {
  const jump = step(BPF.jumpIfEqual, value, { then: otherwise.length, otherwise: then.length });
  return [jump, ...then, ...otherwise];
}

function load(offset: number): Instruction {
  return step(BPF.load, offset);
}

function returns(value: number): Instruction {
  return step(BPF.returns, value);
}

function step(code: number, value: number, jumps = { then: 0, otherwise: 0 }): Instruction {
  return { code, value, ...jumps };
}

function encode(program: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  if (program.length > PROGRAM_MAX) throw new RangeError("the filter is too long for the kernel");
  const bytes = new Uint8Array(program.length * INSTRUCTION_SIZE);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, then, otherwise, value }, index) => {
    if (then > 255 || otherwise > 255) throw new RangeError("a jump is too far for the kernel");
    const at = index * INSTRUCTION_SIZE;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, then);
    view.setUint8(at + 3, otherwise);
    view.setUint32(at + 4, value, true);
  });
  return bytes;
}
