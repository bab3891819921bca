// The archive of libraries inside the executable: what was put in comes out, and nothing else does.
import assert from "node:assert/strict";
import {
  archiveHeader,
  decodeList,
  elfEnd,
  elfHeader,
  encodeArchive,
  listSizeOf,
} from "./carried.ts";
import { WireError } from "./codec.ts";

const LIBRARIES = [
  {
    serves: "loader" as const,
    soname: "liba.so.1",
    name: "a",
    version: "1.2",
    licence: "MIT",
    licenceText: "Do as you like, wörds and all.",
    bytes: Uint8Array.of(1, 2, 3),
  },
  {
    serves: "libtpms" as const,
    soname: "libb.so.0",
    name: "b",
    version: "0.1",
    package: "libb0 0.1-1",
    licence: "BSD-3-Clause",
    licenceText: "",
    bytes: new Uint8Array(5000).fill(7),
  },
];

function listIn(archive: Uint8Array) {
  const size = listSizeOf(archive);
  assert.ok(size !== undefined);
  return archive.subarray(archiveHeader.size, archiveHeader.size + size);
}

Deno.test("libraries come out of an archive as they were put in", () => {
  const archive = encodeArchive(LIBRARIES);
  const carried = decodeList(listIn(archive), archive.length);
  assert.equal(carried.length, LIBRARIES.length);
  for (const [index, { offset, size, ...library }] of carried.entries()) {
    const { bytes, ...expected } = LIBRARIES[index]!;
    assert.deepEqual(library, expected);
    assert.deepEqual(archive.slice(offset, offset + size), bytes);
  }
});

Deno.test("what is no archive is told from one", () => {
  assert.equal(listSizeOf(new Uint8Array()), undefined);
  assert.equal(listSizeOf(new Uint8Array(archiveHeader.size)), undefined);
  const other = encodeArchive(LIBRARIES);
  other[0]! ^= 1;
  assert.equal(listSizeOf(other), undefined);
});

Deno.test("a list that points out of the archive is refused", () => {
  const archive = encodeArchive(LIBRARIES);
  assert.throws(() => decodeList(listIn(archive), archive.length - 1), WireError);
  const lying = (change: Record<string, unknown>) => {
    const [first] = decodeList(listIn(archive), archive.length);
    const list = new TextEncoder().encode(JSON.stringify([{ ...first, ...change }]));
    return () => decodeList(list, archive.length);
  };
  assert.doesNotThrow(lying({}));
  for (
    const change of [{ offset: 0 }, { offset: -1 }, { size: 0 }, { size: "9" }, { offset: null }]
  ) {
    assert.throws(lying(change), WireError, JSON.stringify(change));
  }
  assert.throws(() => decodeList(new Uint8Array((1 << 22) + 1), archive.length), WireError);
});

Deno.test("the end of an ELF file is the end of its section header table", () => {
  const head = elfHeader.encode({
    ident: [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    type: 3,
    machine: 62,
    version: 1,
    entry: [0, 0],
    phoff: [64, 0],
    shoff: [1000, 0],
    flags: 0,
    ehsize: 64,
    phentsize: 56,
    phnum: 10,
    shentsize: 64,
    shnum: 30,
    shstrndx: 29,
  });
  assert.equal(head.length, 64);
  assert.equal(elfEnd(head), 1000 + 30 * 64);
  assert.equal(elfEnd(head.subarray(1)), undefined);
  head[4] = 1; // 32 bits
  assert.equal(elfEnd(head), undefined);
});
