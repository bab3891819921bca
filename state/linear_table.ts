// The table at the head of a linear state file: its layout, and where in the file there is room.
// Pure: reading and writing it, and in which order, is linear.ts' affair.
import { array, littleEndian, reserved, struct, u16, u32, u8, type Value } from "../wire/codec.ts";
import type { StateName } from "./backend.ts";
import { StateError } from "./error.ts";

const le16 = littleEndian(u16);
const le32 = littleEndian(u32);

/** Where a state lies; the C program keeps sections at powers of two. */
export const linearEntry = struct("linear state entry", {
  /** From the beginning of the file; 0 for an entry that is not used. */
  offset: le32,
  dataLength: le32,
  /** Room that the state has, `dataLength` or more. */
  sectionLength: le32,
});
export type LinearEntry = Value<typeof linearEntry>;

const ENTRIES = 15;

/** The first bytes of the file, least significant bytes first. */
export const linearHeader = struct("linear state header", {
  magic: array(le32, 2),
  version: u8,
  pad: reserved(1),
  /** Size of the header, behind which sections begin. */
  headerSize: le16,
  entries: array(linearEntry, ENTRIES),
});
export type LinearHeader = Value<typeof linearHeader>;

/** "swtpmlin", as one number with its least significant byte first. */
const MAGIC = [0x6d6c696e, 0x73777470] as const;
const VERSION = 1;
const UNUSED: LinearEntry = { offset: 0, dataLength: 0, sectionLength: 0 };
/** Offsets and lengths are 32 bit numbers. */
const FILE_MAX = 0xffff_ffff;

/** TPM 1.2 and TPM 2 share the entries: a file holds one TPM. */
const indexes: Record<StateName, number> = { permall: 0, volatilestate: 1, savestate: 2 };

/** What a file that holds no states begins with. */
export function emptyHeader(): LinearHeader {
  return {
    magic: [...MAGIC],
    version: VERSION,
    headerSize: linearHeader.size,
    entries: Array.from({ length: ENTRIES }, () => UNUSED),
  };
}

/** Whether bytes begin with a header of this format, of whatever version. */
export function hasMagic(bytes: Uint8Array): boolean {
  if (bytes.length < linearHeader.size) return false;
  return linearHeader.read(bytes, 0).magic.every((word, index) => word === MAGIC[index]);
}

/** Whether bytes look like a header with a damaged beginning, not like something else. */
export function mayBeDamaged(bytes: Uint8Array): boolean {
  if (bytes.length < linearHeader.size) return false;
  const { version, headerSize, magic } = linearHeader.read(bytes, 0);
  return (version === VERSION && headerSize === linearHeader.size) ||
    magic.some((word, index) => word === MAGIC[index]);
}

/** Reads a header and checks that it makes sense. `what` names the file in messages. */
export function readHeader(bytes: Uint8Array, what: string): LinearHeader {
  const header = linearHeader.decode(bytes);
  if (header.version > VERSION) {
    throw new StateError(
      `${what} was written by a newer version: it has format ${header.version}, ` +
        `this program knows ${VERSION}`,
    );
  }
  const damaged = (detail: string) => new StateError(`${what} has a damaged header: ${detail}`);
  if (header.headerSize < linearHeader.size) {
    throw damaged(`it claims to have ${header.headerSize} bytes in place of ${linearHeader.size}`);
  }
  let end = header.headerSize;
  for (const { offset, dataLength, sectionLength } of inOrder(header)) {
    if (dataLength > sectionLength) {
      throw damaged(`a state of ${dataLength} bytes has a section of ${sectionLength}`);
    }
    if (offset < end) throw damaged(`the section at ${offset} begins before ${end}`);
    end = offset + sectionLength;
    if (end > FILE_MAX) throw damaged(`the section at ${offset} ends behind 4 GiB`);
  }
  return header;
}

/** The entry of a state, or undefined where there is none. */
export function entryOf(header: LinearHeader, name: StateName): LinearEntry | undefined {
  const entry = header.entries[indexes[name]]!;
  return entry.offset === 0 ? undefined : entry;
}

/** The header with another entry for a state, or without one. */
export function withEntry(
  header: LinearHeader,
  name: StateName,
  entry: LinearEntry | undefined,
): LinearHeader {
  return { ...header, entries: header.entries.with(indexes[name], entry ?? UNUSED) };
}

/** Size of the section for a state: the next power of two. */
export function sectionFor(length: number): number {
  let section = 1;
  while (section < length) section *= 2;
  return section;
}

/** The first place where `length` bytes belong to no section; it may be the end. */
export function freeOffset(header: LinearHeader, length: number): number {
  let end = header.headerSize;
  for (const { offset, sectionLength } of inOrder(header)) {
    if (offset - end >= length) return end;
    end = offset + sectionLength;
  }
  if (end + length > FILE_MAX) throw new StateError("a linear state file cannot exceed 4 GiB");
  return end;
}

/** Where the last section ends. */
export function endOfSections(header: LinearHeader): number {
  return inOrder(header).reduce(
    (end, { offset, sectionLength }) => Math.max(end, offset + sectionLength),
    header.headerSize,
  );
}

function inOrder(header: LinearHeader): LinearEntry[] {
  return header.entries.filter(({ offset }) => offset !== 0).sort((a, b) => a.offset - b.offset);
}
