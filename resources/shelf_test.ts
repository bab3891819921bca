// Unit tests of where contexts are kept.
import { deepEqual, equal } from "node:assert/strict";
import { Shelf } from "./shelf.ts";

Deno.test("memory is used again for a context of the same length, and never while it is somebody's", () => {
  const shelf = new Shelf();
  const one = shelf.keep(Uint8Array.of(1, 2, 3));
  const two = shelf.keep(Uint8Array.of(4, 5, 6));
  equal(one.buffer === two.buffer, false);
  shelf.give(one);
  equal(shelf.keep(Uint8Array.of(7, 8)).buffer === one.buffer, false, "another length");
  const three = shelf.keep(Uint8Array.of(7, 8, 9));
  equal(three, one);
  deepEqual([...three, ...two], [7, 8, 9, 4, 5, 6]);
  equal(shelf.keep(Uint8Array.of(1, 1, 1)) === one, false, "it is taken");
  equal(shelf.give(undefined), undefined);
});

Deno.test("no more is kept than connections give back", () => {
  const shelf = new Shelf();
  const all = Array.from({ length: 1000 }, (_, n) => shelf.keep(Uint8Array.of(n)));
  for (const each of all) shelf.give(each);
  const again = new Set(all);
  const reused = Array.from({ length: 1000 }, () => shelf.keep(Uint8Array.of(0)))
    .filter((each) => again.has(each));
  equal(reused.length, 256);
});
