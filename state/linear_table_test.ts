// The arithmetic of linear state files: sections, gaps between them, their end.
import assert from "node:assert/strict";
import {
  emptyHeader,
  endOfSections,
  entryOf,
  freeOffset,
  hasMagic,
  linearHeader,
  mayBeDamaged,
  readHeader,
  sectionFor,
  withEntry,
} from "./linear_table.ts";

const HEADER = linearHeader.size;

Deno.test("a section is the next power of two", () => {
  const expected: [number, number][] = [[1, 1], [2, 2], [3, 4], [1024, 1024], [1025, 2048]];
  for (const [length, section] of expected) assert.equal(sectionFor(length), section);
});

Deno.test("free space is found in gaps, between sections and at the end", () => {
  const empty = emptyHeader();
  assert.equal(HEADER, 192);
  assert.equal(freeOffset(empty, 100), HEADER);
  assert.equal(endOfSections(empty), HEADER);
  const entry = (offset: number) => ({ offset, dataLength: 5, sectionLength: 8 });
  // Not in the order of their entries: a gap of 8 at the head, one of 16 in the middle.
  const header = withEntry(
    withEntry(withEntry(empty, "permall", entry(HEADER + 32)), "savestate", entry(HEADER + 8)),
    "volatilestate",
    entry(HEADER + 40),
  );
  assert.equal(freeOffset(header, 8), HEADER);
  assert.equal(freeOffset(header, 9), HEADER + 16);
  assert.equal(freeOffset(header, 16), HEADER + 16);
  assert.equal(freeOffset(header, 17), HEADER + 48);
  assert.equal(endOfSections(header), HEADER + 48);
  assert.equal(entryOf(withEntry(header, "permall", undefined), "permall"), undefined);
  assert.deepEqual(entryOf(header, "permall"), entry(HEADER + 32));
});

Deno.test("a file does not grow beyond what its entries can tell", () => {
  const full = withEntry(emptyHeader(), "permall", {
    offset: HEADER,
    dataLength: 1,
    sectionLength: 0xffff_ffff - HEADER,
  });
  assert.throws(() => freeOffset(full, 1), /4 GiB/);
});

Deno.test("a header is known by its magic, and suspected by parts of it", () => {
  const bytes = linearHeader.encode(emptyHeader());
  assert.equal(hasMagic(bytes), true);
  assert.equal(hasMagic(bytes.subarray(0, HEADER - 1)), false);
  assert.deepEqual(readHeader(bytes, "it"), emptyHeader());
  bytes[0]! ^= 1;
  assert.equal(hasMagic(bytes), false);
  assert.equal(mayBeDamaged(bytes), true);
  bytes[7]! ^= 1;
  assert.equal(mayBeDamaged(bytes), true);
  bytes[8] = 0x7f;
  assert.equal(mayBeDamaged(bytes), false);
  assert.equal(mayBeDamaged(new Uint8Array(HEADER)), false);
});
