// Unit tests of transient objects under virtual handles, over a chip that only counts.
import { deepEqual, equal, ok } from "node:assert/strict";
import { FakeChip } from "./chip_fake.ts";
import { Objects, Space } from "./objects.ts";

const FIRST = 0x8000_0000;

/** Spaces over a chip of three slots; `make` has an object made, evicting as long as there is no room. */
function manager() {
  const chip = new FakeChip();
  const objects = new Objects(chip);
  const make = (space: Space, lasting = true) => {
    for (;;) {
      const handle = chip.make();
      if (handle !== undefined) return objects.add(space, handle, lasting);
      ok(objects.evictOne(), "nobody to evict");
    }
  };
  /** Which object the chip has where a space's handle leads. */
  const reach = (space: Space, ...virtuals: number[]) => {
    const handles = objects.use(space, virtuals);
    return typeof handles === "number" ? handles : handles.map((handle) => chip.slots.get(handle));
  };
  return { chip, objects, make, reach };
}

Deno.test("while three suffice nothing is saved or loaded", () => {
  const { chip, make, reach } = manager();
  const space = new Space();
  for (let n = 0; n < 3; n++) equal(make(space), FIRST + n);
  for (let n = 0; n < 30; n++) deepEqual(reach(space, FIRST + n % 3), [n % 3 + 1]);
  deepEqual(chip.calls, { save: 0, load: 0, flush: 0 });
});

Deno.test("each space has its own objects under the same handles, and reaches no other's", () => {
  const { make, reach } = manager();
  const [one, two] = [new Space(), new Space()];
  for (let n = 0; n < 5; n++) for (const space of [one, two]) equal(make(space), FIRST + n);
  for (let n = 0; n < 5; n++) {
    deepEqual(reach(one, FIRST + n), [2 * n + 1]);
    deepEqual(reach(two, FIRST + n), [2 * n + 2]);
  }
  deepEqual(reach(one, FIRST + 5), 0);
  deepEqual(reach(two, FIRST, FIRST + 7), 1);
  deepEqual(reach(one, FIRST + 4, FIRST, FIRST + 2), [9, 1, 5], "three at a time");
});

Deno.test("one that never changes is saved once, one that does each time", () => {
  const { chip, make, objects, reach } = manager();
  const space = new Space();
  make(space);
  make(space, false);
  for (let n = 0; n < 4; n++) {
    objects.swapOutAll();
    reach(space, FIRST, FIRST + 1);
  }
  equal(chip.calls.save, 1 + 4);
  equal(chip.calls.load, 8);
});

Deno.test("the smallest free handle is the next one; what is flushed is gone", () => {
  const { chip, make, objects, reach } = manager();
  const space = new Space();
  for (let n = 0; n < 4; n++) make(space);
  ok(objects.drop(space, FIRST), "swapped out");
  equal(chip.calls.flush, 1, "which needs no TPM");
  ok(objects.drop(space, FIRST + 2));
  ok(!objects.drop(space, FIRST + 2));
  deepEqual(reach(space, FIRST + 2), 0);
  equal(make(space), FIRST);
  equal(make(space), FIRST + 2);
  deepEqual(space.handles, [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]);
});

Deno.test("a context that is dead is an object that is not there, and no other is touched", () => {
  const { chip, make, objects, reach } = manager();
  const space = new Space();
  for (let n = 0; n < 2; n++) make(space);
  objects.swapOutAll();
  chip.dead.add(1);
  deepEqual(reach(space, FIRST + 1, FIRST), 1);
  deepEqual(space.handles, [FIRST + 1]);
  deepEqual(reach(space, FIRST + 1), [2]);
});

Deno.test("what bare clients hold is not evicted; there is no room then", () => {
  const { chip, make, objects, reach } = manager();
  const space = new Space();
  make(space);
  objects.swapOutAll();
  for (let n = 0; n < 3; n++) chip.make();
  deepEqual(reach(space, FIRST), 0);
  deepEqual(space.handles, [FIRST], "it is kept");
  chip.flush(FIRST);
  deepEqual(reach(space, FIRST), [1]);
});

Deno.test("a connection leaves nothing in the TPM, and power takes what was loaded", () => {
  const { chip, make, objects, reach } = manager();
  const [one, two] = [new Space(), new Space()];
  for (let n = 0; n < 4; n++) for (const space of [one, two]) make(space);
  objects.close(one);
  deepEqual(one.handles, []);
  objects.swapOutAll();
  equal(chip.slots.size, 0);
  deepEqual(reach(two, FIRST + 3), [8]);
  make(two);
  chip.slots.clear();
  objects.lostPower();
  equal(objects.loaded, 0);
  // What had a context is left, what had none is gone.
  deepEqual(two.handles, [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]);
  deepEqual(reach(two, FIRST + 3), [8]);
});
