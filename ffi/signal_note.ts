// What a signal leaves in memory at the very moment it comes: the kernel tells the handler alone who
// sent it, and the runtime's passes on no more than its number, when the event loop has its turn. A
// few instructions before it make the note. No function of JavaScript can stand there: a handler
// interrupts whatever the thread was at, V8 included.
import { type Libc, openLibc } from "./libc.ts";

const symbols = {
  /** void *mmap(void *, size_t, int prot, int flags, int fd, off_t) */
  mmap: { parameters: ["pointer", "u64", "i32", "i32", "i32", "i64"], result: "pointer" },
  /** int mprotect(void *, size_t, int prot) */
  mprotect: { parameters: ["pointer", "u64", "i32"], result: "i32" },
} as const;

const PROT = { read: 1, write: 2, execute: 4 } as const;
const MAP_PRIVATE_ANONYMOUS = 0x22;
/** As large as pages get on either architecture (arm64: 64 KiB). */
const PAGE = 65_536;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

type Word = "note" | "next";

/**
 * A handler (int, siginfo_t *, void *) that stores the signal's number at the address `note` unless
 * si_code, the int at 8, is SI_KERNEL, and behind it in any case, then goes on as the handler at
 * `next`, whose arguments are all in place.
 */
const CODE: Readonly<Record<typeof Deno.build.arch, readonly (number | Word)[]>> = {
  x86_64: [
    ...[0xf3, 0x0f, 0x1e, 0xfa], //                    endbr64
    ...[0x49, 0xbb, "note" as Word], //                movabs r11, note
    ...[0x41, 0x89, 0x7b, 0x04], //                    mov    [r11 + 4], edi
    ...[0x81, 0x7e, 0x08, 0x80, 0x00, 0x00, 0x00], //  cmp    dword [rsi + 8], 0x80
    ...[0x74, 0x03], //                                je     over the next one
    ...[0x41, 0x89, 0x3b], //                          mov    [r11], edi
    ...[0x49, 0xbb, "next" as Word], //                movabs r11, next
    ...[0x41, 0xff, 0xe3], //                          jmp    r11
  ],
  aarch64: [
    ...[0x5f, 0x24, 0x03, 0xd5], //  bti  c
    ...[0x29, 0x08, 0x40, 0xb9], //  ldr  w9, [x1, #8]
    ...[0x10, 0x01, 0x00, 0x58], //  ldr  x16, note
    ...[0x00, 0x06, 0x00, 0xb9], //  str  w0, [x16, #4]
    ...[0x3f, 0x01, 0x02, 0x71], //  cmp  w9, #0x80
    ...[0x40, 0x00, 0x00, 0x54], //  b.eq over the next one
    ...[0x00, 0x02, 0x00, 0xb9], //  str  w0, [x16]
    ...[0xb0, 0x00, 0x00, 0x58], //  ldr  x16, next
    ...[0x00, 0x02, 0x1f, 0xd6], //  br   x16
    ...[0x1f, 0x20, 0x03, 0xd5], //  nop
    "note",
    "next",
  ],
};

/** A handler that returns. */
const RETURN: Readonly<Record<typeof Deno.build.arch, readonly number[]>> = {
  x86_64: [0xf3, 0x0f, 0x1e, 0xfa, 0xc3], // endbr64, ret
  aarch64: [0x5f, 0x24, 0x03, 0xd5, 0xc0, 0x03, 0x5f, 0xd6], // bti c, ret
};

/** Room for one handler's code. */
const STRIDE = 64;

/** What the signals leave whose handlers share it. */
export interface SignalNote {
  /**
   * The number of one that a process sent, and of one that came at all: 0 before, and again where that
   * was written. What came before it was looked at is not forgotten for what came then.
   */
  readonly words: Int32Array<ArrayBuffer>;
  /** What stands in the place of each handler. */
  readonly handlers: readonly bigint[];
}

/**
 * Makes handlers that note the signal and go on as those in `next`, or return where that is undefined.
 * They stay as long as the process. Throws SystemError.
 */
export function signalNote(libc: Libc, next: readonly (bigint | undefined)[]): SignalNote {
  const c = openLibc(symbols);
  const writable = PROT.read | PROT.write;
  const memory = c.mmap(null, BigInt(2 * PAGE), writable, MAP_PRIVATE_ANONYMOUS, -1, 0n);
  const address = Deno.UnsafePointer.value(memory);
  if (address === MAP_FAILED) throw libc.error("mmap");
  const buffer = Deno.UnsafePointerView.getArrayBuffer(memory!, 2 * PAGE);
  const bytes = new Uint8Array(buffer);
  bytes.set(RETURN[Deno.build.arch]);
  const note = address + BigInt(PAGE);
  const handlers = next.map((handler = address, at) => {
    const start = (at + 1) * STRIDE;
    bytes.set(codeOf({ note, next: handler }), start);
    return address + BigInt(start);
  });
  libc.check(c.mprotect(memory, BigInt(PAGE), PROT.read | PROT.execute), "mprotect");
  return { words: new Int32Array(buffer, PAGE, 2), handlers };
}

function codeOf(words: Record<Word, bigint>): number[] {
  return CODE[Deno.build.arch].flatMap((part) =>
    typeof part === "number" ? [part] : [...new Uint8Array(BigUint64Array.of(words[part]).buffer)]
  );
}
