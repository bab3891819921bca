// Unit tests of transient objects under virtual handles, over a chip that only counts.
import { deepEqual, equal } from "node:assert/strict";
import { TpmRc } from "../wire/codes.ts";
import { Chip } from "./chip.ts";
import { FakeChip } from "./chip_fake.ts";
import { FIRST_OBJECT, type Held, Objects } from "./objects.ts";

function setUp(slots = 3) {
  const chip = new FakeChip(slots);
  const objects = new Objects(new Chip(chip.ask));
  objects.slots = slots;
  const space = () => ({ objects: new Map<number, Held>() });
  const make = (owner: ReturnType<typeof space>, sequence = false) => {
    objects.unpin();
    objects.makeRoom(1);
    return objects.add(owner, chip.makeObject(sequence));
  };
  /** Has them loaded for one command; the names of what the TPM then has there. */
  const use = (...wanted: Held[]) => {
    objects.unpin();
    for (const held of wanted) objects.pin(held);
    for (const held of wanted) {
      if (held.handle === undefined) equal(objects.load(held), TpmRc.SUCCESS);
    }
    return wanted.map(({ handle }) => chip.objects.get(handle!)!.name);
  };
  return { chip, objects, space, make, use };
}

Deno.test("each space has the smallest handle that is free", () => {
  const { space, make, objects } = setUp();
  const [one, two] = [space(), space()];
  const made = [make(one), make(two), make(one), make(one), make(two)];
  deepEqual(made.map(({ virtual }) => virtual - FIRST_OBJECT), [0, 0, 1, 2, 1]);
  objects.forget(made[2]!);
  equal(make(one).virtual, FIRST_OBJECT + 1);
});

Deno.test("nothing moves before a slot is needed, and what never changes is saved once", () => {
  const { chip, space, make, use } = setUp();
  const owner = space();
  const made = [make(owner), make(owner), make(owner)];
  use(made[0]!, made[1]!, made[2]!);
  equal(chip.calls.length, 0);
  const fourth = make(owner);
  deepEqual(chip.calls, ["save 80000000", "flush 80000000"], "who was used longest ago");
  for (let round = 0; round < 3; round++) {
    for (const [n, held] of [...made, fourth].entries()) deepEqual(use(held), [n + 1]);
  }
  equal(chip.calls.filter((call) => call.startsWith("save")).length, 4);
  deepEqual(use(made[0]!, made[2]!, fourth), [1, 3, 4], "three at a time");
});

Deno.test("a sequence is saved each time", () => {
  const { chip, space, make, use } = setUp(1);
  const owner = space();
  const [sequence, key] = [make(owner, true), make(owner)];
  for (let round = 0; round < 3; round++) {
    use(sequence);
    use(key);
  }
  const saves = chip.calls.filter((call) => call.startsWith("save"));
  equal(saves.length, 1 + 3 + 1);
});

Deno.test("what the TPM takes no more is gone; what it cannot do now is not", () => {
  const { chip, space, make, use, objects } = setUp(1);
  const owner = space();
  const [dead, alive] = [make(owner), make(owner)];
  chip.dead.add(1);
  objects.unpin();
  objects.pin(dead);
  equal(objects.load(dead), 0x1df);
  deepEqual([...owner.objects.values()], [alive]);
  deepEqual(use(alive), [2]);
  const other = make(owner);
  chip.failure = TpmRc.FAILURE;
  objects.unpin();
  equal(objects.load(alive), TpmRc.FAILURE);
  objects.swapOutAll();
  equal(other.handle, FIRST_OBJECT, "a TPM that saves nothing keeps it");
  chip.failure = undefined;
  deepEqual(use(alive), [2]);
});

Deno.test("a space that closes leaves nothing, and power takes what is loaded", () => {
  const { chip, space, make, objects } = setUp();
  const [one, two] = [space(), space()];
  for (let n = 0; n < 3; n++) make(one);
  for (let n = 0; n < 2; n++) make(two);
  objects.close(one);
  deepEqual([...chip.objects.values()].map(({ name }) => name), [4, 5]);
  equal(one.objects.size, 0);
  objects.powerLost();
  deepEqual([two.objects.size, objects.loadedCount], [0, 0]);
});
