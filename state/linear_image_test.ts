// Tests of the image of a new file for all states: its table is one that both programs read.

import { deepEqual, equal } from "node:assert/strict";
import { linearImage } from "./linear_image.ts";
import { endOfSections, entryOf, hasMagic, readHeader } from "./linear_table.ts";

Deno.test("the table of an image has each state where it lies, without gaps", () => {
  const states = [
    ["permall", new Uint8Array(1388).fill(1)],
    ["savestate", new Uint8Array(3).fill(3)],
  ] as const;
  const { header, sections, size } = linearImage(states);
  equal(hasMagic(header), true);
  const table = readHeader(header, size, "the image");
  equal(endOfSections(table), size);
  let end = header.length;
  for (const [index, [name, bytes]] of states.entries()) {
    const { offset, dataLength, sectionLength } = entryOf(table, name)!;
    deepEqual([offset, dataLength], [end, bytes.length]);
    deepEqual(sections[index], { offset, bytes });
    end = offset + sectionLength;
  }
  equal(entryOf(table, "volatilestate"), undefined);
});
