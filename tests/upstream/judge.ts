// Reads the result of one script against what is expected of it: the exit code alone says too
// little, because some scripts end with 0 after an error or without having tested anything.

import type { Outcome } from "./chamber.ts";
import type { Expectation } from "./expected.ts";

/** What a run counts. */
export type Verdict = { readonly word: "PASS" | "FAIL" | "SKIP"; readonly why?: string };

/** The exit code by which the scripts say that they skipped. */
const SKIPPED = 77;

/** Compares how a script ended with what is expected of it. */
export function judge(
  expected: Pick<Expectation, "expect" | "steps">,
  outcome: Outcome,
  log: readonly string[],
): Verdict {
  if (outcome.timedOut) {
    return { word: "FAIL", why: `not done after ${outcome.seconds.toFixed(0)} s` };
  }
  if (outcome.code === SKIPPED) {
    return expected.expect === "pass"
      ? { word: "FAIL", why: "the script skipped itself" }
      : { word: "SKIP", why: expected.expect.skip };
  }
  if (outcome.code !== 0) return { word: "FAIL", why: `exit code ${outcome.code}` };
  // Some scripts exit with 0 in spite of an error, or after they left out what they came for.
  const silent = outcome.parts.filter((part) => part.code === SKIPPED && part.interface !== "cuse");
  if (silent.length > 0) {
    const names = silent.map((part) => part.interface).join(", ");
    return { word: "FAIL", why: `skipped its part for ${names}` };
  }
  const error = log.find((line) => ERROR_LINE.test(line) && !STEP_WORKED.test(line));
  if (error !== undefined) return { word: "FAIL", why: `exit code 0, but it said "${error}"` };
  const steps = stepsIn(log);
  if (steps < (expected.steps ?? 0)) {
    return { word: "FAIL", why: `${steps} lines of success instead of ${expected.steps}` };
  }
  return { word: "PASS" };
}

/** How many steps a script said to have worked. */
export function stepsIn(log: readonly string[]): number {
  return log.filter((line) => STEP_LINE.test(line)).length;
}

/**
 * What the scripts print before they give up; none of it is in the log of one that passed. Other
 * lines that begin with `ERROR:` are not theirs: PKCS #11 modules of the machine look for its TPM.
 */
const ERROR_LINE =
  /^(Error\b|ERROR: (Test|State)\b|[Tt]est .*\bfailed\b|[Ee]xpected\s*:|File (ownership|mode))/;
/** Also where it was to fail. */
const STEP_WORKED = /^Test \d+: OK\b/;
/** What they print when a step worked. */
const STEP_LINE = /\b(OK|Ok|[Pp]assed|SUCCESS)\b|^Pass:|^Chain verification output: Verified/;
