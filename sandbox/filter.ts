// The denied calls as a program for the kernel's seccomp filter (classic BPF), as a pure function:
// table in, bytes out. Installing it is left to ffi/seccomp.ts.
import { type Architecture, type Condition, type DeniedCall, NEWEST_CALL } from "./denied_calls.ts";

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
const EINVAL = 22;
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
/** Of 32 bits each: code and jumps, value. */
const INSTRUCTION_WORDS = 2;
/** Several times what is needed; the kernel takes 4096 (BPF_MAXINSNS). */
const PROGRAM_MAX = 1024;

/** `struct seccomp_data`: int nr, u32 arch, u64 instruction_pointer, u64 args[6]. */
const dataOffset = { number: 0, architecture: 4, arguments: 16 } as const;

/** Spans that are searched one by one; beyond that the list is halved. */
const LINEAR_MAX = 8;

/** What becomes of a call: some are looked at more closely. */
type Verdict = "allow" | "deny" | "missing" | DeniedCall;

/** Numbers of calls that have the same verdict, up to the next span. */
interface Span {
  first: number;
  verdict: Verdict;
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
  const program = new Program(action);
  program.load(dataOffset.architecture);
  program.denyUnless(BPF.jumpIfEqual, AUDIT_ARCH[architecture]);
  program.load(dataOffset.number);
  if (architecture === "x86_64") program.denyIf(BPF.jumpIfAtLeast, X32_BIT);
  const spans = spansOf(calls, architecture);
  search(program, spans, 0, spans.length);
  return program.bytes();
}

/** All numbers from 0 on in spans; what is denied stands side by side for the most part. */
function spansOf(calls: readonly DeniedCall[], architecture: Architecture): Span[] {
  const verdicts = new Array<Verdict>(NEWEST_CALL + 1).fill("allow");
  for (const call of calls) {
    const number = call.numbers[architecture];
    if (number === undefined) continue;
    if (number > NEWEST_CALL) throw new RangeError(`call ${number} is beyond all numbers`);
    if (call.missing) verdicts[number] = "missing";
    else verdicts[number] = call.when === undefined ? "deny" : call;
  }
  // It stands for all numbers above, too.
  verdicts.push("missing");
  const spans: Span[] = [];
  let before: Verdict | undefined;
  for (let first = 0; first < verdicts.length; first++) {
    const verdict = verdicts[first]!;
    if (verdict === before) continue;
    spans.push({ first, verdict });
    before = verdict;
  }
  return spans;
}

/** Looks for the call's span by halves; every way through it ends with a return. */
function search(program: Program, spans: readonly Span[], begin: number, end: number): void {
  if (end - begin > LINEAR_MAX) {
    const middle = (begin + end) >> 1;
    const lower = program.unlessAtLeast(spans[middle]!.first);
    search(program, spans, middle, end);
    program.here(lower);
    search(program, spans, begin, middle);
    return;
  }
  const branches: { jump: Jump; verdict: Verdict }[] = [];
  // Who does not branch off belongs to the first span.
  const verdicts = new Set([spans[begin]!.verdict]);
  for (let at = end - 1; at > begin; at--) {
    const { first, verdict } = spans[at]!;
    branches.push({ jump: program.ifAtLeast(first), verdict });
    verdicts.add(verdict);
  }
  for (const verdict of verdicts) {
    for (const branch of branches) {
      if (branch.verdict === verdict) program.here(branch.jump);
    }
    answer(program, verdict);
  }
}

function answer(program: Program, verdict: Verdict): void {
  if (verdict === "allow") return program.returns(SECCOMP_RET.allow);
  if (verdict === "deny") return program.deny();
  if (verdict === "missing") return program.returns(SECCOMP_RET.errno | ENOSYS);
  for (const condition of verdict.when ?? []) test(program, condition);
  if (verdict.judged !== undefined) return allowJudged(program, verdict.judged);
  program.returns(SECCOMP_RET.allow);
}

/** Allows the values that somebody has judged, and answers EINVAL to all others. */
function allowJudged(
  program: Program,
  { argument, newest, beyond }: NonNullable<DeniedCall["judged"]>,
): void {
  program.load(dataOffset.arguments + 8 * argument);
  const later = program.ifAtLeast(newest + 1);
  program.returns(SECCOMP_RET.allow);
  program.here(later);
  for (const value of beyond) program.allowIf(BPF.jumpIfEqual, value);
  program.returns(SECCOMP_RET.errno | EINVAL);
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
  /** Both architectures are little endian. */
  readonly #words = new Uint32Array(PROGRAM_MAX * INSTRUCTION_WORDS);
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

  allowIf(comparison: number, value: number): void {
    this.#step(comparison, value, 0, 1);
    this.returns(SECCOMP_RET.allow);
  }

  denyIf(comparison: number, value: number): void {
    this.#step(comparison, value, 0, 1);
    this.deny();
  }

  denyUnless(comparison: number, value: number): void {
    this.#step(comparison, value, 1, 0);
    this.deny();
  }

  /** Goes elsewhere for a word of at least `value`. */
  ifAtLeast(value: number): Jump {
    this.#step(BPF.jumpIfAtLeast, value, 0, 0);
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
    const at = index * INSTRUCTION_WORDS;
    if (plain) this.#words[at + 1] = skipped;
    else if (skipped <= 255) this.#words[at]! |= skipped << 16;
    else throw new RangeError("a jump is too far for the kernel");
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#words.slice(0, this.#count * INSTRUCTION_WORDS).buffer);
  }

  #step(code: number, value: number, then: number, otherwise: number): void {
    if (this.#count === PROGRAM_MAX) throw new RangeError("the filter is too long");
    const at = this.#count++ * INSTRUCTION_WORDS;
    this.#words[at] = code | then << 16 | otherwise << 24;
    this.#words[at + 1] = value;
  }
}
