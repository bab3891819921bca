// Who sent a signal: the kernel tells the handler alone, and the runtime's passes on no more than the
// signal's number. A few instructions before it keep what siginfo says. No function of JavaScript can
// stand there: a handler interrupts whatever the thread was at, V8 included.
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
 * A handler (int, siginfo_t *, void *) that stores si_code, the int at 8, at the address `note`, and
 * goes on as the handler at `next`, whose arguments are all in place.
 */
const CODE: Readonly<Record<typeof Deno.build.arch, readonly (number | Word)[]>> = {
  x86_64: [
    ...[0xf3, 0x0f, 0x1e, 0xfa], //  endbr64
    ...[0x8b, 0x46, 0x08], //        mov    eax, [rsi + 8]
    ...[0x49, 0xbb, "note" as Word], // movabs r11, note
    ...[0x41, 0x89, 0x03], //        mov    [r11], eax
    ...[0x49, 0xbb, "next" as Word], // movabs r11, next
    ...[0x41, 0xff, 0xe3], //        jmp    r11
  ],
  aarch64: [
    ...[0x5f, 0x24, 0x03, 0xd5], //  bti  c
    ...[0x29, 0x08, 0x40, 0xb9], //  ldr  w9, [x1, #8]
    ...[0x90, 0x00, 0x00, 0x58], //  ldr  x16, note
    ...[0x09, 0x02, 0x00, 0xb9], //  str  w9, [x16]
    ...[0x90, 0x00, 0x00, 0x58], //  ldr  x16, next
    ...[0x00, 0x02, 0x1f, 0xd6], //  br   x16
    "note",
    "next",
  ],
};

/** What stands in the place of a handler, and the si_code of the signal that came last. */
export interface SenderNote {
  code: bigint;
  sender: () => number;
}

/** Makes code that goes on as `handler`; it stays as long as the process. Throws SystemError. */
export function senderNote(libc: Libc, handler: bigint): SenderNote {
  const c = openLibc(symbols);
  const size = BigInt(2 * PAGE);
  const writable = PROT.read | PROT.write;
  const code = c.mmap(null, size, writable, MAP_PRIVATE_ANONYMOUS, -1, 0n);
  const address = Deno.UnsafePointer.value(code);
  if (address === MAP_FAILED) throw libc.error("mmap");
  const note = address + BigInt(PAGE);
  const words: Record<Word, bigint> = { note, next: handler };
  const bytes = CODE[Deno.build.arch].flatMap((part) =>
    typeof part === "number" ? [part] : [...new Uint8Array(BigUint64Array.of(words[part]).buffer)]
  );
  new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(code!, bytes.length)).set(bytes);
  libc.check(c.mprotect(code, BigInt(PAGE), PROT.read | PROT.execute), "mprotect");
  const view = new Deno.UnsafePointerView(Deno.UnsafePointer.create(note)!);
  return { code: address, sender: () => view.getInt32() };
}
