// What a run of the C project's scripts counts as passed: each way of passing by mistake is one
// case here. No script is run.

import assert from "node:assert/strict";
import type { Outcome } from "./chamber.ts";
import type { Expectation } from "./expected.ts";
import { judge } from "./judge.ts";

const PASSES: Expectation = { expect: "pass", steps: 2, needs: [] };
const STAYS_OUT: Expectation = { expect: { skip: "no such device" }, needs: [] };
const TWO_STEPS = ["Test 1: OK", "Test 2: OK"];

function outcome(changed: Partial<Outcome>): Outcome {
  return { code: 0, timedOut: false, parts: [], seconds: 1, log: "unused", ...changed };
}

function word(expected: Expectation, changed: Partial<Outcome>, log = TWO_STEPS): string {
  return judge(expected, outcome(changed), log).word;
}

Deno.test("a script that did all its steps passes", () => {
  assert.equal(word(PASSES, {}), "PASS");
});

Deno.test("an exit code, a missed bound and a skip are failures", () => {
  assert.equal(word(PASSES, { code: 1 }), "FAIL");
  assert.equal(word(PASSES, { timedOut: true }), "FAIL");
  assert.equal(word(PASSES, { code: 77 }), "FAIL");
});

Deno.test("a script that stays out may skip, and counts when it did not", () => {
  assert.deepEqual(judge(STAYS_OUT, outcome({ code: 77 }), []), {
    word: "SKIP",
    why: "no such device",
  });
  assert.equal(word(STAYS_OUT, { code: 0 }), "PASS");
  assert.equal(word(STAYS_OUT, { code: 1 }), "FAIL");
});

Deno.test("a part that skipped is a failure, except for the interface that is not there", () => {
  const part = (name: string, code: number) => ({ interface: name, code });
  assert.equal(word(PASSES, { parts: [part("cuse", 77), part("socket+unix", 0)] }), "PASS");
  assert.equal(word(PASSES, { parts: [part("cuse", 77), part("socket+unix", 77)] }), "FAIL");
});

Deno.test("exit code 0 does not hide an error in the log", () => {
  for (
    const line of [
      "Error: Socket TPM: Unexpected response from CMD_STOP:",
      "Test 1 failed: TPM did not open port 11234",
      "File ownership for pidfile is wrong.",
    ]
  ) assert.equal(word(PASSES, {}, [...TWO_STEPS, line]), "FAIL", line);
});

Deno.test("a step that was to fail is no error", () => {
  assert.equal(word(PASSES, {}, ["Test 1: OK", "Test 2: OK (failed as expected)"]), "PASS");
});

Deno.test("exit code 0 does not hide that steps were left out", () => {
  assert.equal(word(PASSES, {}, ["Test 1: OK", "Test 2: SKIP"]), "FAIL");
});
