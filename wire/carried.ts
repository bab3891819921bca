// Layout of the libraries that the executable carries. They stand between the base executable and
// the section that `deno compile` puts behind it, which the runtime reads whole into memory at each
// start; here nothing is read before it is asked for. Pure: reading them is ffi/embedded.ts' affair,
// collecting them scripts/embed.ts'.
import { array, littleEndian, struct, u16, u32, u8, WireError } from "./codec.ts";

const le16 = littleEndian(u16);
const le32 = littleEndian(u32);

/** What is needed of an ELF64 header (gABI 4.1) to find the end of the base executable. */
export const elfHeader = struct("ELF header", {
  ident: array(u8, 16),
  type: le16,
  machine: le16,
  version: le32,
  entry: array(le32, 2),
  phoff: array(le32, 2),
  /** Offset of the section header table, low word first. */
  shoff: array(le32, 2),
  flags: le32,
  ehsize: le16,
  phentsize: le16,
  phnum: le16,
  shentsize: le16,
  shnum: le16,
  shstrndx: le16,
});

/** 64 bits, least significant byte first. */
const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46, 2, 1];

/** Where an executable ends whose section header table is the last thing in it; undefined for none. */
export function elfEnd(head: Uint8Array): number | undefined {
  if (head.length < elfHeader.size) return undefined;
  const { ident, shoff, shentsize, shnum } = elfHeader.read(head, 0);
  if (ELF_MAGIC.some((byte, index) => ident[index] !== byte) || shoff[1] !== 0) return undefined;
  return shoff[0]! + shentsize * shnum;
}

/** One library inside the executable. */
export interface EmbeddedLibrary {
  /** Whether it is glibc's, for where there is none, or libtpms and what that needs. */
  serves: "loader" | "libtpms";
  /** The name that other libraries know it by. */
  soname: string;
  name: string;
  version: string;
  /** The distribution's package and its version, where it came from one. */
  package?: string | undefined;
  /** SPDX identifiers. */
  licence: string;
  /** The licence's words; empty where those of the library before apply. */
  licenceText: string;
}

/** A library and where its bytes are, from the beginning of the archive. */
export interface CarriedLibrary extends EmbeddedLibrary {
  offset: number;
  size: number;
}

/** Head of the archive; a list of {@linkcode CarriedLibrary} as JSON follows, then their bytes. */
export const archiveHeader = struct("archive header", {
  magic: array(le32, 2),
  /** Size of the list in bytes. */
  listSize: le32,
});

/** "swtpmlib" */
const MAGIC = [0x70747773, 0x62696c6d] as const;
/** Where a library may begin: a loader is mapped from the file, with pages of any size. */
const ALIGNMENT = 1 << 16;
/** Far more than a list takes, licences included. */
const LIST_MAX = 1 << 22;

/** Size of the list that stands behind the header; undefined where there is no archive. */
export function listSizeOf(head: Uint8Array): number | undefined {
  if (head.length < archiveHeader.size) return undefined;
  const { magic, listSize } = archiveHeader.read(head, 0);
  return MAGIC.every((word, index) => magic[index] === word) ? listSize : undefined;
}

/**
 * The list, checked against the archive's size. Throws {@linkcode WireError} for one that points
 * elsewhere.
 */
export function decodeList(list: Uint8Array, archiveSize: number): CarriedLibrary[] {
  if (list.length > LIST_MAX) throw new WireError("the list of libraries is too long");
  const libraries = JSON.parse(new TextDecoder().decode(list)) as CarriedLibrary[];
  for (const { soname, offset, size } of libraries) {
    const numbers = Number.isInteger(offset) && Number.isInteger(size);
    if (!numbers || offset < archiveHeader.size || size <= 0 || offset + size > archiveSize) {
      throw new WireError(`the place of the library '${soname}' is outside of the executable`);
    }
  }
  return libraries;
}

/** The archive as bytes; it stands at a multiple of 64 KiB, as each library in it does. */
export function encodeArchive(
  libraries: readonly (EmbeddedLibrary & { bytes: Uint8Array })[],
): Uint8Array<ArrayBuffer> {
  // Blanks behind the list fill the room that greater offsets would have taken.
  const listOf = (begin: number) => {
    let end = begin;
    return libraries.map(({ bytes, ...library }) => {
      const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
      end = offset + bytes.length;
      return { ...library, offset, size: bytes.length };
    });
  };
  const encode = (begin: number) => new TextEncoder().encode(JSON.stringify(listOf(begin)));
  const room = encode(LIST_MAX).length;
  const begin = archiveHeader.size + room;
  const carried = listOf(begin);
  const last = carried.at(-1);
  const archive = new Uint8Array(last === undefined ? begin : last.offset + last.size);
  archive.fill(0x20, archiveHeader.size, begin);
  archiveHeader.write(archive, 0, { magic: [...MAGIC], listSize: room });
  archive.set(encode(begin), archiveHeader.size);
  for (const [index, { offset }] of carried.entries()) {
    archive.set(libraries[index]!.bytes, offset);
  }
  return archive;
}
