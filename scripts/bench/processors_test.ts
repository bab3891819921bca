// Lists of processors, who gets which, and the check that a process is bound.

import assert from "node:assert/strict";
import {
  checkBound,
  childrenOf,
  NotBoundError,
  parseProcessors,
  place,
  sleepsOf,
  usableProcessors,
} from "./processors.ts";

Deno.test("a list of processors", () => {
  assert.deepEqual(parseProcessors("0"), [0]);
  assert.deepEqual(parseProcessors("0,2-4,9"), [0, 2, 3, 4, 9]);
  assert.throws(() => parseProcessors("3-1"), /not a list/);
  assert.throws(() => parseProcessors("x"), /not a list/);
});

Deno.test("the two sides get processors of their own, or share one", () => {
  assert.deepEqual(place("two cores", [0, 1]), { server: [1], client: [0] });
  assert.deepEqual(place("one core", [0, 1]), { server: [1], client: [1] });
  assert.deepEqual(place("one core", [5]), { server: [5], client: [5] });
  assert.deepEqual(place("anywhere", [2, 3]), { server: [2, 3], client: [2, 3] });
  assert.throws(() => place("two cores", [0]), /one processor/);
});

Deno.test("a process that is bound elsewhere is noticed", () => {
  const usable = usableProcessors();
  checkBound(Deno.pid, usable);
  assert.throws(() => checkBound(Deno.pid, [...usable, 4096]), NotBoundError);
});

Deno.test("a child is found under its parent and its sleeps are counted", async () => {
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  try {
    assert.ok(childrenOf(Deno.pid).includes(child.pid));
    assert.ok(sleepsOf(Deno.pid) > 0);
  } finally {
    child.kill();
    await child.status;
  }
  assert.ok(!childrenOf(Deno.pid).includes(child.pid));
});
