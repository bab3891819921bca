// The table at the head of a linear state file: its layout, and where in the file there is room.
// Pure: reading and writing it, and in which order, is linear.ts' affair.
//
// The C program takes a section's length for the distance to the next section: when it removes or
// moves one, it moves all that is behind. So in each table that is written
// 1. the first section begins where the header ends, and each other one where the one before ends:
//    the length of a section reaches over whatever is free behind its state;
// 2. the last section ends within the medium; behind it there may be more of a file;
// 3. what is free at the head, which no state's section can reach over, is the section of an entry
//    without data: the filler, an entry that no state has.
// Free is what lies behind a state's room, so states can be put there without a change of the table
// that is in force; and the table after a change, with all lengths made anew, fits in one sector.
import { array, littleEndian, reserved, struct, u16, u32, u8, type Value } from "../wire/codec.ts";
import { STATE_NAMES, type StateName } from "./backend.ts";
import { StateError } from "./error.ts";

const le16 = littleEndian(u16);
const le32 = littleEndian(u32);

/** Where a state lies. */
export const linearEntry = struct("linear state entry", {
  /** From the beginning of the file; 0 for an entry that is not used. */
  offset: le32,
  dataLength: le32,
  /** How far it is to the next section; for the last one, the room that the state has. */
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

/**
 * Reads a header and checks that it makes sense on a medium of `size` bytes. `what` names the file
 * in messages.
 */
export function readHeader(bytes: Uint8Array, size: number, what: string): LinearHeader {
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
  const medium = Math.min(size, FILE_MAX);
  let end = header.headerSize;
  for (const { offset, dataLength, sectionLength } of inOrder(header.entries)) {
    if (dataLength > sectionLength) {
      throw damaged(`a state of ${dataLength} bytes has a section of ${sectionLength}`);
    }
    if (offset < end) throw damaged(`the section at ${offset} begins before ${end}`);
    end = offset + sectionLength;
    if (end > medium) {
      throw damaged(`the section at ${offset} ends at ${end}, and there are ${medium} bytes`);
    }
  }
  return header;
}

/** The entry of a state, or undefined where there is none. */
export function entryOf(header: LinearHeader, name: StateName): LinearEntry | undefined {
  const entry = header.entries[indexes[name]]!;
  return entry.offset === 0 ? undefined : entry;
}

/** The header with another entry for a state, or without one; there are no gaps in it. */
export function withEntry(
  header: LinearHeader,
  name: StateName,
  entry: LinearEntry | undefined,
): LinearHeader {
  return withoutGaps({ ...header, entries: header.entries.with(indexes[name], entry ?? UNUSED) });
}

/** The same states, each section reaching to the next one; the last one is the last state's room. */
export function withoutGaps(header: LinearHeader): LinearHeader {
  const entries = header.entries.map((entry, index) => isFiller(entry, index) ? UNUSED : entry);
  const order = inOrder(entries);
  const reaching = entries.map((entry) => {
    const index = order.indexOf(entry);
    if (index < 0) return UNUSED;
    const end = order[index + 1]?.offset ?? entry.offset + room(entry);
    return { ...entry, sectionLength: end - entry.offset };
  });
  const offset = header.headerSize;
  const sectionLength = (order[0]?.offset ?? offset) - offset;
  if (sectionLength === 0) return { ...header, entries: reaching };
  const place = reaching.findLastIndex((entry) => entry.offset === 0);
  if (place < STATE_NAMES.length) throw new StateError("a linear state file has no entry left");
  const filler = { offset, dataLength: 0, sectionLength };
  return { ...header, entries: reaching.with(place, filler) };
}

/** Size of the room for a state: the next power of two, as in the C program. */
export function roomFor(length: number): number {
  let room = 1;
  while (room < length) room *= 2;
  return room;
}

/** The first place where `length` bytes are in no state's room; it may be the end. */
export function freeOffset(header: LinearHeader, length: number): number {
  let end = header.headerSize;
  for (const entry of inOrder(states(header))) {
    if (entry.offset - end >= length) return end;
    end = entry.offset + room(entry);
  }
  if (end + length > FILE_MAX) throw new StateError("a linear state file cannot exceed 4 GiB");
  return end;
}

/** Where the last section ends. */
export function endOfSections(header: LinearHeader): number {
  return inOrder(header.entries).reduce(
    (_, { offset, sectionLength }) => offset + sectionLength,
    header.headerSize,
  );
}

/** What a state keeps of its section. */
function room({ dataLength, sectionLength }: LinearEntry): number {
  return Math.min(roomFor(dataLength), sectionLength);
}

/** The C program has names for the first entries only. */
function isFiller(entry: LinearEntry, index: number): boolean {
  return entry.dataLength === 0 && index >= STATE_NAMES.length;
}

function states({ entries }: LinearHeader): LinearEntry[] {
  return entries.filter((entry, index) => !isFiller(entry, index));
}

/** The entries that are used, as they lie in the file. */
function inOrder(entries: readonly LinearEntry[]): LinearEntry[] {
  return entries.filter(({ offset }) => offset !== 0).sort((a, b) => a.offset - b.offset);
}
