// The arithmetic of linear state files: rooms, sections that leave no gap, their end.
import assert from "node:assert/strict";
import {
  emptyHeader,
  endOfSections,
  entryOf,
  freeOffset,
  hasMagic,
  type LinearHeader,
  linearHeader,
  mayBeDamaged,
  readHeader,
  roomFor,
  withEntry,
  withoutGaps,
} from "./linear_table.ts";

const HEADER = linearHeader.size;

Deno.test("the room of a state is the next power of two", () => {
  const expected: [number, number][] = [[1, 1], [2, 2], [3, 4], [1024, 1024], [1025, 2048]];
  for (const [length, room] of expected) assert.equal(roomFor(length), room);
});

/** Two neighbours in the middle, with 8 bytes free before them, and 16 before the third. */
function scattered(): LinearHeader {
  const at = (offset: number) => ({ offset, dataLength: 5, sectionLength: 8 });
  const { entries, ...rest } = emptyHeader();
  // Not in the order of their entries.
  const [permall, savestate, volatilestate] = [at(HEADER + 32), at(HEADER + 8), at(HEADER + 40)];
  return { ...rest, entries: entries.toSpliced(0, 3, permall, volatilestate, savestate) };
}

/** The entries that are used: index, offset, data length, section length. */
function used({ entries }: LinearHeader): number[][] {
  return entries.flatMap(({ offset, dataLength, sectionLength }, index) =>
    offset === 0 ? [] : [[index, offset, dataLength, sectionLength]]
  );
}

Deno.test("free space is found in gaps, between states and at the end", () => {
  const empty = emptyHeader();
  assert.equal(HEADER, 192);
  assert.equal(freeOffset(empty, 100), HEADER);
  assert.equal(endOfSections(empty), HEADER);
  // Whether a section reaches over what is free behind its state makes no difference.
  for (const header of [scattered(), withoutGaps(scattered())]) {
    assert.equal(freeOffset(header, 8), HEADER);
    assert.equal(freeOffset(header, 9), HEADER + 16);
    assert.equal(freeOffset(header, 16), HEADER + 16);
    assert.equal(freeOffset(header, 17), HEADER + 48);
    assert.equal(endOfSections(header), HEADER + 48);
  }
});

Deno.test("sections reach to the next one, and a filler to the first", () => {
  const filler = (length: number) => [14, HEADER, 0, length];
  const states = [[0, HEADER + 32, 5, 8], [1, HEADER + 40, 5, 8], [2, HEADER + 8, 5, 24]];
  const header = withoutGaps(scattered());
  assert.deepEqual(used(header), [...states, filler(8)]);
  assert.deepEqual(withoutGaps(header), header);
  // Without the savestate all before the next state is free, without the last one its room is gone.
  const fewer = withEntry(header, "savestate", undefined);
  assert.deepEqual(used(fewer), [...states.slice(0, 2), filler(32)]);
  assert.deepEqual(used(withEntry(fewer, "volatilestate", undefined)), [states[0], filler(32)]);
  assert.equal(entryOf(withEntry(header, "permall", undefined), "permall"), undefined);
  // What the C program left of a room stays free.
  const small = { offset: HEADER, dataLength: 3, sectionLength: 1024 };
  assert.deepEqual(used(withEntry(emptyHeader(), "permall", small)), [[0, HEADER, 3, 4]]);
});

Deno.test("entries that a newer program may use are kept, and leave the filler a place", () => {
  const header = scattered();
  const more = { offset: HEADER + 48, dataLength: 1, sectionLength: 1 };
  header.entries[14] = more;
  assert.deepEqual(used(withoutGaps(header)).slice(3), [
    [13, HEADER, 0, 8],
    [14, HEADER + 48, 1, 1],
  ]);
  for (let index = 3; index < 14; index++) {
    header.entries[index] = { ...more, offset: more.offset + index };
  }
  assert.throws(() => withoutGaps(header), /has no entry left/);
});

Deno.test("what begins or ends beyond the medium is damaged", () => {
  const bytes = linearHeader.encode(withoutGaps(scattered()));
  const end = HEADER + 48;
  assert.deepEqual(used(readHeader(bytes, end, "it")).length, 4);
  assert.throws(() => readHeader(bytes, end - 1, "it"), /ends at 240, and there are 239 bytes/);
  assert.throws(() => readHeader(bytes, HEADER + 10, "it"), /ends at 224, and there are 202 bytes/);
  const wrapped = { offset: 0xffff_fff0, dataLength: 32, sectionLength: 32 };
  const entries = emptyHeader().entries.with(0, wrapped);
  const large = linearHeader.encode({ ...emptyHeader(), entries });
  assert.throws(() => readHeader(large, 2 ** 40, "it"), /there are 4294967295 bytes/);
});

Deno.test("a file does not grow beyond what its entries can tell", () => {
  const full = withEntry(emptyHeader(), "permall", {
    offset: HEADER,
    dataLength: 0xffff_ffff - HEADER,
    sectionLength: 0xffff_ffff - HEADER,
  });
  assert.throws(() => freeOffset(full, 1), /4 GiB/);
});

Deno.test("a header is known by its magic, and suspected by parts of it", () => {
  const bytes = linearHeader.encode(emptyHeader());
  assert.equal(hasMagic(bytes), true);
  assert.equal(hasMagic(bytes.subarray(0, HEADER - 1)), false);
  assert.deepEqual(readHeader(bytes, HEADER, "it"), emptyHeader());
  bytes[0]! ^= 1;
  assert.equal(hasMagic(bytes), false);
  assert.equal(mayBeDamaged(bytes), true);
  bytes[7]! ^= 1;
  assert.equal(mayBeDamaged(bytes), true);
  bytes[8] = 0x7f;
  assert.equal(mayBeDamaged(bytes), false);
  assert.equal(mayBeDamaged(new Uint8Array(HEADER)), false);
});
