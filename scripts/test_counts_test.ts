// Tests of reading the counts of test runners.

import assert from "node:assert/strict";
import { add, countsIn, faultsOf, lastSummary } from "./test_counts.ts";

Deno.test("closing lines of all runners are read", () => {
  for (
    const [output, passed, failed, ignored] of [
      ["running 1 test\n\nok | 12 passed | 0 failed (3ms)\n\n", 12, 0, 0],
      ["FAILED | 1 passed (1 step) | 2 failed (3 steps) | 4 ignored (1m2s)\n", 1, 2, 4],
      ["\x1b[0m\x1b[32mok\x1b[0m | 5 passed (2 steps) | 0 failed \x1b[0m(10ms)\n", 5, 0, 0],
      ["unit tests    3.1 s  ok | 7 passed | 0 failed (3s)\n", 7, 0, 0],
      ["57 passed, 1 failed, 3 skipped\n", 57, 1, 3],
      ["8 passed, 0 failed\n", 8, 0, 0],
      ["ok | 9 passed | 9 failed (1ms)\nlater\nok | 2 passed | 0 failed (1s)\n", 2, 0, 0],
    ] as const
  ) {
    assert.deepEqual(countsIn(output), { passed, failed, ignored }, output);
  }
});

Deno.test("without a closing line there are no counts", () => {
  assert.equal(countsIn("error: No test modules found\n"), null);
  assert.equal(countsIn(""), null);
  assert.equal(lastSummary("passed\n"), null);
});

Deno.test("the closing line is given without colours", () => {
  assert.equal(
    lastSummary("\x1b[32mok\x1b[0m | 5 passed | 0 failed (10ms)\nrest\n"),
    "ok | 5 passed | 0 failed (10ms)",
  );
});

Deno.test("counts add up", () => {
  const one = { passed: 1, failed: 2, ignored: 3 };
  assert.deepEqual(add(one, { passed: 10, failed: 20, ignored: 30 }), {
    passed: 11,
    failed: 22,
    ignored: 33,
  });
});

Deno.test("a test that was skipped, where nobody expects that, is a fault; so is none that ran", () => {
  const ran = { passed: 5, failed: 0, ignored: 0 };
  assert.deepEqual(faultsOf(ran, false), []);
  assert.deepEqual(faultsOf({ ...ran, ignored: 2 }, false), ["2 skipped, which nobody expects"]);
  assert.deepEqual(faultsOf({ ...ran, ignored: 2 }, true), []);
  assert.deepEqual(faultsOf({ ...ran, passed: 0 }, false), ["no test ran"]);
});
