// Looks for a byte string in a file that is too large to hold: a migration stream, a disk image.

import { Buffer } from "node:buffer";

const pieceLength = 4 * 1024 * 1024;

/** Whether the file holds `wanted` anywhere, across the edges of pieces too. */
export async function fileContains(path: string, wanted: Buffer): Promise<boolean> {
  using file = await Deno.open(path);
  const buffer = Buffer.alloc(wanted.length - 1 + pieceLength);
  let kept = 0;
  for (;;) {
    const count = await file.read(buffer.subarray(kept));
    if (count === null) return false;
    const filled = buffer.subarray(0, kept + count);
    if (filled.includes(wanted)) return true;
    kept = Math.min(wanted.length - 1, filled.length);
    buffer.copyWithin(0, filled.length - kept, filled.length);
  }
}
