// The bytes around a stored state: a header and tag-length-value entries, as the C program writes
// them. Pure: nothing here reads or writes a file.
import { struct, u16, u32, u8, type Value } from "../wire/codec.ts";
import { TpmResult } from "../wire/codes.ts";
import { StateError } from "./error.ts";

/** Head of every state file and blob. */
export const blobHeader = struct("state header", {
  version: u8,
  /** Oldest version of this format that a reader must know. */
  minVersion: u8,
  /** Size of this header. */
  headerSize: u16,
  flags: u16,
  /** Header and payload together. */
  totalLength: u32,
});

/** Head of an entry; `length` bytes of data follow. */
export const entryHeader = struct("state entry", { tag: u16, length: u32 });

/** What is written. Version 1 had no entries; it is only read. */
export const BLOB_VERSION = 2;
const BLOB_MIN_VERSION = 1;

export const BlobFlag = {
  ENCRYPTED: 0x01,
  MIGRATION_ENCRYPTED: 0x02,
  MIGRATION: 0x04,
  KEY_256: 0x08,
  MIGRATION_KEY_256: 0x10,
} as const;

export const Tag = {
  DATA: 1,
  ENCRYPTED_DATA: 2,
  HMAC: 3,
  MIGRATION_DATA: 4,
  ENCRYPTED_MIGRATION_DATA: 5,
  IV: 6,
  MIGRATION_IV: 7,
} as const;

export interface Entry {
  tag: number;
  data: Uint8Array;
}

/** A header's claims and the payload behind it. */
export interface Blob {
  version: number;
  flags: number;
  payload: Uint8Array<ArrayBuffer>;
}

/** Entries behind each other. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeOf(entries));
  writeEntries(bytes, 0, entries);
  return bytes;
}

/**
 * A whole blob: header and entries. It is written into `room` where that is large enough, and is
 * then the beginning of it.
 */
export function encodeBlob(
  flags: number,
  entries: readonly Entry[],
  room: Uint8Array<ArrayBuffer> = new Uint8Array(),
): Uint8Array<ArrayBuffer> {
  const totalLength = blobHeader.size + sizeOf(entries);
  const bytes = room.length < totalLength
    ? new Uint8Array(totalLength)
    : room.subarray(0, totalLength);
  blobHeader.write(bytes, 0, {
    version: BLOB_VERSION,
    minVersion: BLOB_MIN_VERSION,
    headerSize: blobHeader.size,
    flags,
    totalLength,
  });
  writeEntries(bytes, blobHeader.size, entries);
  return bytes;
}

function sizeOf(entries: readonly Entry[]): number {
  let size = 0;
  for (const { data } of entries) size += entryHeader.size + data.length;
  return size;
}

function writeEntries(bytes: Uint8Array, at: number, entries: readonly Entry[]): void {
  for (const { tag, data } of entries) {
    entryHeader.write(bytes, at, { tag, length: data.length });
    bytes.set(data, at + entryHeader.size);
    at += entryHeader.size + data.length;
  }
}

/** Entries by their tags. */
export type Entries = ReadonlyMap<number, Uint8Array<ArrayBuffer>>;

/**
 * The entries that a payload consists of, whatever their tags; of two with one tag the first counts.
 * Throws {@linkcode StateError} where they do not fill it: a length is wrong then. The C program
 * does not look at what is behind the entry that it seeks, but writes nothing there either.
 */
export function decodeEntries(payload: Uint8Array<ArrayBuffer>, what: string): Entries {
  const entries = new Map<number, Uint8Array<ArrayBuffer>>();
  let at = 0;
  while (at < payload.length) {
    const room = payload.length - at - entryHeader.size;
    const entry = room < 0 ? undefined : entryHeader.read(payload, at);
    if (entry === undefined || entry.length > room) {
      throw new StateError(`${what} is damaged: the part at ${at} is cut short`);
    }
    const begin = at + entryHeader.size;
    at = begin + entry.length;
    if (!entries.has(entry.tag)) entries.set(entry.tag, payload.subarray(begin, at));
  }
  return entries;
}

/**
 * Checks the header, in the C program's order, and takes it off. `what` names the blob in messages.
 * Throws {@linkcode StateError} with the C program's result.
 */
export function decodeBlob(bytes: Uint8Array<ArrayBuffer>, what: string): Blob {
  if (bytes.length < blobHeader.size) {
    throw new StateError(
      bytes.length === 0
        ? `${what} is empty`
        : `${what} is cut short: ${bytes.length} bytes, the header alone takes ${blobHeader.size}`,
      { result: TpmResult.BAD_PARAMETER },
    );
  }
  const header = blobHeader.decode(bytes);
  if (header.totalLength !== bytes.length) {
    throw new StateError(`${what} ${misfit(header, bytes.length)}`, {
      result: TpmResult.BAD_PARAMETER,
    });
  }
  if (header.minVersion > BLOB_VERSION) {
    throw new StateError(
      `${what} was written by a newer version: it takes format ${header.minVersion}, ` +
        `this program knows up to ${BLOB_VERSION}`,
      { result: TpmResult.BAD_VERSION },
    );
  }
  if (header.headerSize !== blobHeader.size) {
    throw new StateError(
      `${what} has a header of ${header.headerSize} bytes in place of ${blobHeader.size}`,
      { result: TpmResult.BAD_DATASIZE },
    );
  }
  return {
    version: header.version,
    flags: header.flags,
    payload: bytes.subarray(blobHeader.size),
  };
}

/** In words: what a header makes of bytes of another number than it says. */
function misfit(header: Value<typeof blobHeader>, length: number): string {
  const { headerSize, minVersion, totalLength } = header;
  if (headerSize !== blobHeader.size || minVersion > BLOB_VERSION) {
    return "has no header: it is damaged, no TPM state at all, or from a version of this program " +
      "that wrote no header yet";
  }
  return length < totalLength
    ? `is cut short: of its ${totalLength} bytes there are ${length}`
    : `is damaged: it should have ${totalLength} bytes, and has ${length}`;
}
