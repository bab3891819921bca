// The bytes around a stored state: a header and tag-length-value entries, as the C program writes
// them (spec/state.md 4.6). Pure: nothing here reads or writes a file.
import { struct, u16, u32, u8 } from "../wire/codec.ts";
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
export function encodeEntries(entries: readonly Entry[], headroom = 0): Uint8Array<ArrayBuffer> {
  const length = entries.reduce((sum, { data }) => sum + entryHeader.size + data.length, headroom);
  const bytes = new Uint8Array(length);
  let at = headroom;
  for (const { tag, data } of entries) {
    entryHeader.write(bytes, at, { tag, length: data.length });
    bytes.set(data, at + entryHeader.size);
    at += entryHeader.size + data.length;
  }
  return bytes;
}

/** A whole blob: header and entries. */
export function encodeBlob(flags: number, entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const bytes = encodeEntries(entries, blobHeader.size);
  blobHeader.write(bytes, 0, {
    version: BLOB_VERSION,
    minVersion: BLOB_MIN_VERSION,
    headerSize: blobHeader.size,
    flags,
    totalLength: bytes.length,
  });
  return bytes;
}

/** Data of the first entry with that tag, or undefined where there is none whole. */
export function findEntry(
  payload: Uint8Array<ArrayBuffer>,
  tag: number,
): Uint8Array<ArrayBuffer> | undefined {
  let at = 0;
  while (payload.length - at >= entryHeader.size) {
    const entry = entryHeader.read(payload, at);
    const begin = at + entryHeader.size;
    if (entry.length > payload.length - begin) return undefined;
    if (entry.tag === tag) return payload.subarray(begin, begin + entry.length);
    at = begin + entry.length;
  }
  return undefined;
}

/**
 * Checks the header, in the C program's order, and takes it off. `what` names the blob in messages.
 * Throws {@linkcode StateError} with the C program's result.
 */
export function decodeBlob(bytes: Uint8Array<ArrayBuffer>, what: string): Blob {
  if (bytes.length < blobHeader.size) {
    throw new StateError(
      `${what} is cut short: ${bytes.length} bytes, the header alone takes ${blobHeader.size}`,
      { result: TpmResult.BAD_PARAMETER },
    );
  }
  const header = blobHeader.decode(bytes);
  if (header.totalLength !== bytes.length) {
    throw new StateError(
      `${what} is damaged or not a TPM state: its header tells of ${header.totalLength} bytes, ` +
        `there are ${bytes.length}`,
      { result: TpmResult.BAD_PARAMETER },
    );
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
