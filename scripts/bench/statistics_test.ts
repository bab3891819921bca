// Medians, percentiles, ratios and the order of turns on series whose results are known.

import assert from "node:assert/strict";
import {
  median,
  orderOf,
  percentile,
  ratioOfMedians,
  ratioSpread,
  summarise,
} from "./statistics.ts";

const oneToHundred = Array.from({ length: 100 }, (_, n) => 100 - n);

Deno.test("the median of an odd and of an even count", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([9, 1, 5, 6]), 5.5);
  assert.equal(median([7]), 7);
});

Deno.test("numbers are sorted as numbers, and the caller's order stays", () => {
  const values = [10, 9, 100];
  assert.equal(median(values), 10);
  assert.deepEqual(values, [10, 9, 100]);
});

Deno.test("percentiles are samples: the nearest rank", () => {
  assert.equal(percentile(oneToHundred, 0.99), 99);
  assert.equal(percentile(oneToHundred, 1), 100);
  assert.equal(percentile(oneToHundred, 0.001), 1);
  assert.equal(percentile([4, 8], 0.99), 8);
  // One bad answer among 200 is beyond the 99th percentile, three are not.
  const calm = Array.from({ length: 200 }, () => 1);
  assert.equal(percentile([...calm.slice(1), 500], 0.99), 1);
  assert.equal(percentile([...calm.slice(3), 500, 500, 500], 0.99), 500);
});

Deno.test("what can not be answered is refused", () => {
  assert.throws(() => median([]), /there are no values/);
  assert.throws(() => summarise(new Float64Array(0)), /there are no values/);
  assert.throws(() => median([1, NaN]), /not a number/);
  assert.throws(() => percentile([1], 0), /above 0/);
  assert.throws(() => percentile([1], 1.01), /above 0/);
  assert.throws(() => ratioSpread([1, 2], [1]), /2 rounds of one program, 1 of the other/);
});

Deno.test("a summary holds what a series comes to", () => {
  assert.deepEqual(summarise(Float64Array.from(oneToHundred)), {
    count: 100,
    least: 1,
    median: 50.5,
    p95: 95,
    p99: 99,
    p999: 100,
    most: 100,
    mean: 50.5,
  });
});

Deno.test("a ratio is that of the medians, its spread that of the rounds", () => {
  assert.equal(ratioOfMedians([20, 22, 900], [40, 44, 41]), 22 / 41);
  assert.deepEqual(ratioSpread([20, 22, 900], [40, 44, 450]), [0.5, 2]);
  assert.equal(ratioOfMedians([3, 3], [3, 3]), 1);
});

Deno.test("each contestant has each place equally often, and none two turns on end", () => {
  const names = ["a", "b", "c"];
  const rounds = [0, 1, 2, 3, 4, 5, 6].map((round) => orderOf(names, round).join(""));
  assert.deepEqual(rounds, ["abc", "bca", "cab", "cba", "bac", "acb", "abc"]);
  assert.deepEqual(names, ["a", "b", "c"]);
  for (const all of ["abc", "abcd", "abcde"]) {
    const orders = Array.from({ length: 2 * all.length }, (_, round) => orderOf([...all], round));
    for (const place of all.split("").keys()) {
      const there = orders.map((order) => order[place]).sort().join("");
      assert.equal(there, [...all].map((name) => name + name).join(""));
    }
    const turns = orders.flat().concat(orders[0]!);
    assert.ok(turns.every((name, at) => name !== turns[at + 1]));
  }
  assert.deepEqual([0, 1, 2, 3].map((round) => orderOf(["a", "b"], round).join("")), [
    ...["ab", "ba", "ba", "ab"],
  ]);
});
