// Takes one file out of an archive that was read into memory: a gzipped tar, as npm packs, or a zip,
// as Deno does. Whether the file is the right one is left to who asks.

import { gunzipSync, inflateRawSync } from "node:zlib";

/** The unpacked donor is 99 MB, denort 97 MB; more than this is neither. */
const UNPACKED_LENGTH_MAX = 160 * 1024 * 1024;

const TAR_BLOCK_LENGTH = 512;
/** Zip (APPNOTE.TXT 4.3): signatures and lengths of its records, and methods. */
const ZIP = {
  end: 0x06054b50,
  endLength: 22,
  entry: 0x02014b50,
  entryLength: 46,
  local: 30,
} as const;
const ZIP_METHOD = { stored: 0, deflated: 8 } as const;

/** The bytes of `name` in a gzipped tar archive (POSIX ustar: size in octal at 124, header 512 bytes). */
export function fileInArchive(archive: Uint8Array, name: string): Uint8Array {
  const tar = gunzipSync(archive, { maxOutputLength: UNPACKED_LENGTH_MAX });
  const text = (from: number, length: number) =>
    new TextDecoder().decode(tar.subarray(from, from + length)).replace(/\0.*$/s, "");
  for (let at = 0; at + TAR_BLOCK_LENGTH <= tar.length && tar[at] !== 0;) {
    const sizeText = text(at + 124, 12).trim();
    if (!/^[0-7]+$/.test(sizeText)) throw new Error(`archive entry of size "${sizeText}"`);
    const size = Number.parseInt(sizeText, 8);
    const content = at + TAR_BLOCK_LENGTH;
    if (content + size > tar.length) throw new Error("the archive ends in the middle of a file");
    if (text(at, 100) === name) return tar.subarray(content, content + size);
    at = content + Math.ceil(size / TAR_BLOCK_LENGTH) * TAR_BLOCK_LENGTH;
  }
  throw new Error(`the archive has no file "${name}"`);
}

/** The bytes of `name` in a zip archive, which ends with a directory of its files. */
export function fileInZip(archive: Uint8Array, name: string): Uint8Array {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  // A comment may follow the last record, but Deno's archives have none.
  const end = archive.length - ZIP.endLength;
  if (end < 0 || view.getUint32(end, true) !== ZIP.end) throw new Error("not a whole zip archive");
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (at + ZIP.entryLength > end || view.getUint32(at, true) !== ZIP.entry) {
      throw new Error("the archive's directory is damaged");
    }
    const nameLength = view.getUint16(at + 28, true);
    const nameAt = at + ZIP.entryLength;
    if (new TextDecoder().decode(archive.subarray(nameAt, nameAt + nameLength)) === name) {
      return unpackedEntry(archive, view, at);
    }
    at = nameAt + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  throw new Error(`the archive has no file "${name}"`);
}

/** The content of the file with its entry in the directory at `at`. */
function unpackedEntry(archive: Uint8Array, view: DataView, at: number): Uint8Array {
  const [method, size] = [view.getUint16(at + 10, true), view.getUint32(at + 20, true)];
  const local = view.getUint32(at + 42, true);
  if (local + ZIP.local > archive.length) throw new Error("the archive's directory is damaged");
  const start = local + ZIP.local + view.getUint16(local + 26, true) +
    view.getUint16(local + 28, true);
  const packed = archive.subarray(start, start + size);
  if (method === ZIP_METHOD.stored) return packed;
  if (method !== ZIP_METHOD.deflated) throw new Error(`the archive is packed by method ${method}`);
  return inflateRawSync(packed, { maxOutputLength: UNPACKED_LENGTH_MAX });
}
