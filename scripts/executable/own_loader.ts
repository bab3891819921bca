// Gives a base executable its own loader: the entry code (entry/) becomes its first instructions, and
// the kernel is shown program headers that ask for no other. The base's own ones stay where they are,
// for glibc's loader, which then makes a program of it as ever.
//
// `deno compile` need not know: the section header table, behind which it looks for its section, is
// again the last thing in the file.

import { Buffer } from "node:buffer";
import { type CarriedLibrary, elfHeader } from "../../wire/carried.ts";
import { array, type Codec, littleEndian, struct, u32, u8 } from "../../wire/codec.ts";
import type { Arch } from "../denort.ts";

const le32 = littleEndian(u32);

/** 64 bits, least significant byte first; as two's complement where it is negative. */
const le64: Codec<number> = {
  size: 8,
  read: (bytes, at) => Number(viewOf(bytes).getBigInt64(at, true)),
  write: (bytes, at, value) => viewOf(bytes).setBigInt64(at, BigInt(value), true),
};

/** ELF64 gABI, "Program Header". */
const programHeader = struct("program header", {
  type: le32,
  flags: le32,
  offset: le64,
  vaddr: le64,
  paddr: le64,
  filesz: le64,
  memsz: le64,
  align: le64,
});
const PT = { LOAD: 1, INTERP: 3, PHDR: 6 } as const;
/** Readable and executable. */
const PF_RX = 5;

const NAME_SIZE = 32;
const library = struct("library", { offset: le64, size: le64, name: array(u8, NAME_SIZE) });
const LIBRARIES_MAX = 8;

/** `struct table` of entry/entry.h. */
const table = struct("table", {
  programEntry: le64,
  programHeaders: le64,
  programHeaderCount: le64,
  runtimeNeeds: le64,
  libtpmsNeeds: le64,
  loader: array(u8, 64),
  folders: array(u8, 256),
  libraryCount: le64,
  libraries: array(library, LIBRARIES_MAX),
});

/** What differs between the processors. */
export const PROCESSORS: Readonly<
  Record<Arch, { readonly loader: string; readonly libraryFolders: readonly string[] }>
> = {
  x64: {
    loader: "/lib64/ld-linux-x86-64.so.2",
    libraryFolders: ["/usr/lib/x86_64-linux-gnu/", "/usr/lib64/", "/lib64/", "/usr/lib/", "/lib/"],
  },
  arm64: {
    loader: "/lib/ld-linux-aarch64.so.1",
    libraryFolders: ["/usr/lib/aarch64-linux-gnu/", "/usr/lib64/", "/lib64/", "/usr/lib/", "/lib/"],
  },
};

/** The oldest glibc that the base works with, which stands in its own version table: 2.27. */
const RUNTIME_NEEDS = 27;

/** The largest page of any kernel: what is mapped from the file begins at one. */
export const PAGE = 1 << 16;

/** What stands behind the base of glibc and of what needs it. */
export interface Inside {
  /** The loader, then what is loaded with it; `offset` from the end of the base. */
  readonly libraries: readonly Pick<CarriedLibrary, "soname" | "offset" | "size">[];
  /** What follows "2." in the oldest glibc that the libtpms inside works with; 0 for any. */
  readonly libtpmsNeeds: number;
}

const NO_LIBRARY = { soname: "", offset: 0, size: 0 };

/** The base with its own loader; its end is at a page, and `inside` goes behind it. */
export function withOwnLoader(
  base: Uint8Array,
  code: Uint8Array,
  arch: Arch,
  inside: Inside,
): Uint8Array {
  const head = elfHeader.read(base, 0);
  const headersAt = head.phoff[0]!;
  const headers = array(programHeader, head.phnum).read(base, headersAt);
  const interpreter = headers.findIndex(({ type }) => type === PT.INTERP);
  const phdr = headers.find(({ type }) => type === PT.PHDR);
  if (interpreter < 0 || phdr === undefined || phdr.offset !== headersAt) {
    throw new Error("the base executable asks for no loader, or not as others do");
  }
  if (inside.libraries.length > LIBRARIES_MAX) {
    throw new Error(`${inside.libraries.length} libraries are more than the loader has room for`);
  }

  // Address and offset are the same: older kernels tell a program so where its headers are.
  const memoryEnd = Math.max(...headers.map(({ vaddr, memsz }) => vaddr + memsz));
  const at = pageAt(Math.max(base.length, memoryEnd));
  const tableAt = roundUp(code.length, 16);
  const newHeadersAt = tableAt + table.size;
  const segmentSize = newHeadersAt + headers.length * programHeader.size;
  const sectionsSize = head.shentsize * head.shnum;
  const end = pageAt(at + segmentSize + sectionsSize);

  const segment = {
    type: PT.LOAD,
    flags: PF_RX,
    ...{ offset: at, vaddr: at, paddr: at, filesz: segmentSize, memsz: segmentSize },
    align: PAGE,
  };
  const place = at + newHeadersAt;
  const kernels = headers.toSpliced(interpreter, 1)
    .map((one) => one === phdr ? { ...phdr, offset: place, vaddr: place, paddr: place } : one);
  kernels.splice(kernels.findLastIndex(({ type }) => type === PT.LOAD) + 1, 0, segment);

  const { loader, libraryFolders } = PROCESSORS[arch];
  const whole = new Uint8Array(end);
  whole.set(base);
  whole.set(code, at);
  table.write(whole, at + tableAt, {
    programEntry: numberOf(head.entry) - at,
    programHeaders: phdr.vaddr - at,
    programHeaderCount: headers.length,
    runtimeNeeds: RUNTIME_NEEDS,
    libtpmsNeeds: inside.libtpmsNeeds,
    loader: text(`${loader}\0`, 64),
    folders: text(libraryFolders.map((folder) => `${folder}\0`).join(""), 256),
    libraryCount: inside.libraries.length,
    libraries: Array.from({ length: LIBRARIES_MAX }, (_, index) => {
      const { soname, offset, size } = inside.libraries[index] ?? NO_LIBRARY;
      return { offset: end + offset, size, name: text(soname, NAME_SIZE) };
    }),
  });
  array(programHeader, kernels.length).write(whole, place, kernels);
  const sectionsAt = numberOf(head.shoff);
  whole.set(base.subarray(sectionsAt, sectionsAt + sectionsSize), end - sectionsSize);
  elfHeader.write(whole, 0, {
    ...head,
    entry: [at, 0],
    phoff: [place, 0],
    shoff: [end - sectionsSize, 0],
  });
  return whole;
}

/** The entry code as it was compiled; entry_code_test.ts compiles it anew and compares. */
export function entryCode(arch: Arch): Uint8Array {
  return Deno.readFileSync(new URL(`entry/${arch}.bin`, import.meta.url));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function numberOf([low, high]: readonly number[]): number {
  return low! + high! * 2 ** 32;
}

function text(value: string, size: number): number[] {
  const bytes = Buffer.from(value);
  if (bytes.length >= size) throw new Error(`"${value}" has no room in ${size} bytes`);
  return [...bytes, ...new Array<number>(size - bytes.length).fill(0)];
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

function pageAt(value: number): number {
  return roundUp(value, PAGE);
}
