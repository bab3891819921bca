// Compares what two programs answered in the same scene, step by step, against the table of
// declared differences. Leaves playing to player.ts and the table to differences.ts.

import type { Difference } from "./differences.ts";
import type { Entry } from "./player.ts";

/** A comparison's two sides. */
export interface Played {
  readonly program: string;
  readonly entries: readonly Entry[];
}

/**
 * Lists every step where the sides differ and should not, or should differ and do not. Empty
 * when all is as declared. Steps that match `skipped` are left out.
 */
export function compare(
  scene: string,
  reference: Played,
  tested: Played,
  declared: readonly Difference[],
  skipped: readonly RegExp[] = [],
): string[] {
  const complaints: string[] = [];
  const complain = (step: string, why: string, wanted: string, got: string) =>
    complaints.push(
      `scene "${scene}", step "${step}": ${why}\n` +
        `  ${reference.program}: ${shortened(wanted)}\n  ${tested.program}: ${shortened(got)}`,
    );
  for (const { id, got } of [...reference.entries, ...tested.entries]) {
    if (got.startsWith("failed: ")) complain(id, "the step failed", "an answer", got);
  }
  const answered = (id: string) => tested.entries.find((one) => one.id === id)?.got ?? "nothing";
  for (const { id, got: wanted } of reference.entries) {
    if (skipped.some((step) => step.test(id))) continue;
    const got = answered(id);
    const difference = declared.find((one) => one.scene === scene && one.step === id);
    if (difference === undefined) {
      if (got !== wanted) complain(id, "different answers", wanted, got);
      continue;
    }
    const { ours, reason } = difference;
    const expected = typeof ours === "string" || ours instanceof RegExp
      ? ours
      : answered(ours.like).repeat(ours.times);
    if (expected instanceof RegExp ? !expected.test(got) : expected !== got) {
      complain(id, `not the answer declared for ${reason}: ${expected}`, wanted, got);
    } else if (got === wanted) {
      complain(id, `declared as different for ${reason}, but the same`, wanted, got);
    }
  }
  return complaints;
}

function shortened(got: string): string {
  const LONGEST = 160;
  return got.length <= LONGEST ? got : `${got.slice(0, LONGEST)}… (${got.length} characters)`;
}
