// Damages stored states in the ways that files and senders of blobs can be damaged: headers, lengths,
// tags, checksums, bits, cuts and additions. Chosen by seeded random numbers.

import type { Seeded } from "./seeded.ts";

const HEADER = 10;
/** Offsets and sizes of a state file's header: version, minVersion, headerSize, flags, totalLength. */
const HEADER_FIELDS = [[0, 1], [1, 1], [2, 2], [4, 2], [6, 4]] as const;
/** Sizes of an entry's tag and length. */
const TAG = 2;
const LENGTH = 4;
const EDGES = [
  0,
  1,
  2,
  9,
  10,
  11,
  0x7f,
  0xff,
  0x7fff,
  0xffff,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_ffff,
];

/** A damaged state and what was done to it. */
export interface Mutant {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly how: string;
}

/** Where the entries of a blob begin, as far as they are whole. */
function entryOffsets(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offsets: number[] = [];
  for (let at = HEADER; at + TAG + LENGTH <= bytes.length;) {
    offsets.push(at);
    at += TAG + LENGTH + view.getUint32(at + TAG);
  }
  return offsets;
}

function putNumber(bytes: Uint8Array, at: number, size: number, value: number): void {
  for (let index = size - 1; index >= 0; index--, value = Math.floor(value / 256)) {
    bytes[at + index] = value % 256;
  }
}

/** Has the header tell the length that the bytes have, so that what is behind it is looked at. */
function mendLength(bytes: Uint8Array): void {
  if (bytes.length >= HEADER) putNumber(bytes, 6, 4, bytes.length);
}

/** One damaged copy of a state file or blob. */
export function mutate(original: Uint8Array, random: Seeded): Mutant {
  const bytes = new Uint8Array(original);
  const way = random.below(8);
  switch (way) {
    case 0: {
      const [at, size] = random.pick(HEADER_FIELDS);
      const value = random.pick(EDGES);
      putNumber(bytes, at, size, value);
      return { bytes, how: `header field at ${at} is ${value}` };
    }
    case 1: {
      const at = random.below(bytes.length);
      const bit = random.below(8);
      bytes[at] = bytes[at]! ^ 1 << bit;
      return { bytes, how: `bit ${bit} of byte ${at} is flipped` };
    }
    case 2: {
      const length = random.below(bytes.length);
      return { bytes: bytes.slice(0, length), how: `cut to ${length} bytes` };
    }
    case 3: {
      const cut = bytes.slice(0, HEADER + random.below(bytes.length - HEADER));
      mendLength(cut);
      return { bytes: cut, how: `cut to ${cut.length} bytes, and the header says so` };
    }
    case 4: {
      const longer = new Uint8Array(bytes.length + 1 + random.below(64));
      longer.set(bytes);
      if (random.below(2) === 0) mendLength(longer);
      return { bytes: longer, how: `${longer.length - bytes.length} bytes longer` };
    }
    case 5: {
      const at = random.pick(entryOffsets(bytes)) + TAG;
      const value = random.below(2) === 0 ? random.pick(EDGES) : random.below(bytes.length * 2);
      putNumber(bytes, at, LENGTH, value);
      return { bytes, how: `the entry at ${at - TAG} has length ${value}` };
    }
    case 6: {
      const at = random.pick(entryOffsets(bytes));
      const tag = random.below(9);
      putNumber(bytes, at, TAG, tag);
      return { bytes, how: `the entry at ${at} has tag ${tag}` };
    }
    default: {
      const at = random.below(bytes.length);
      const end = Math.min(bytes.length, at + 1 + random.below(40));
      for (let index = at; index < end; index++) bytes[index] = random.below(256);
      return { bytes, how: `bytes ${at} to ${end} are others` };
    }
  }
}

/** One damaged copy of a linear file: mostly its header, which is what finds the states. */
export function mutateLinear(original: Uint8Array, random: Seeded): Mutant {
  const LINEAR_HEADER = 192;
  const bytes = new Uint8Array(original);
  switch (random.below(4)) {
    case 0: {
      // Least significant byte first: the words of the table's entries.
      const at = 12 + 4 * random.below(3 * 3);
      const value = random.below(2) === 0 ? random.pick(EDGES) : random.below(bytes.length * 2);
      new DataView(bytes.buffer).setUint32(at, value, true);
      return { bytes, how: `the word at ${at} is ${value}` };
    }
    case 1: {
      const at = random.below(LINEAR_HEADER);
      const bit = random.below(8);
      bytes[at] = bytes[at]! ^ 1 << bit;
      return { bytes, how: `bit ${bit} of byte ${at} is flipped` };
    }
    case 2: {
      const length = random.below(bytes.length);
      return { bytes: bytes.slice(0, length), how: `cut to ${length} bytes` };
    }
    default: {
      const at = random.below(bytes.length);
      bytes[at] = random.below(256);
      return { bytes, how: `byte ${at} is ${bytes[at]}` };
    }
  }
}
