// A file for all states that comes into being with its states: where each of them lies, and the header
// that is written last. Pure: writing it is the caller's affair.
import type { StateName } from "./backend.ts";
import {
  emptyHeader,
  endOfSections,
  freeOffset,
  linearHeader,
  roomFor,
  withEntry,
} from "./linear_table.ts";

export interface LinearImage {
  /** What stands at the beginning. */
  readonly header: Uint8Array<ArrayBuffer>;
  readonly sections: readonly {
    readonly offset: number;
    readonly bytes: Uint8Array<ArrayBuffer>;
  }[];
  /** The C programs want a file to be at least that long. */
  readonly size: number;
}

/** The image of states in their envelopes. */
export function linearImage(
  states: Iterable<readonly [StateName, Uint8Array<ArrayBuffer>]>,
): LinearImage {
  let header = emptyHeader();
  const sections = [];
  for (const [name, bytes] of states) {
    const sectionLength = roomFor(bytes.length);
    const offset = freeOffset(header, sectionLength);
    header = withEntry(header, name, { offset, dataLength: bytes.length, sectionLength });
    sections.push({ offset, bytes });
  }
  return { header: linearHeader.encode(header), sections, size: endOfSections(header) };
}
