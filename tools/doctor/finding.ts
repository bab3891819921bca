// What the doctor says about one thing it looked at, and how it looks at several.
import { explain } from "../../daemon/output/explain.ts";
import type { System } from "../../daemon/system.ts";

export type Verdict = "ok" | "warn" | "fail";

export interface Finding {
  /** What was looked at. */
  check: string;
  verdict: Verdict;
  /** What was found. */
  text: string;
  /** What to do about it. */
  remedy?: string;
}

export function ok(check: string, text: string): Finding {
  return { check, verdict: "ok", text };
}

/** Something does not work that not everybody needs, or may not work one day. */
export function warn(check: string, text: string, remedy: string): Finding {
  return { check, verdict: "warn", text, remedy };
}

/** No TPM can be had like this. */
export function fail(check: string, text: string, remedy: string): Finding {
  return { check, verdict: "fail", text, remedy };
}

/** Something to look at by itself. */
export interface Check {
  check: string;
  find: () => Finding | Finding[] | Promise<Finding[]>;
}

/** What all of them find. What stands in the way of one is found, too, and hides no other. */
export async function findAll(
  system: Pick<System, "files" | "users">,
  checks: readonly Check[],
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const { check, find } of checks) {
    try {
      found.push(...[await find()].flat());
    } catch (error) {
      const remedy = "find out what that is, and ask again";
      found.push(fail(check, `cannot be looked at: ${explain(system, error)}`, remedy));
    }
  }
  return found;
}

/** The worst of all. */
export function overall(findings: readonly Finding[]): Verdict {
  const verdicts = new Set(findings.map(({ verdict }) => verdict));
  return verdicts.has("fail") ? "fail" : verdicts.has("warn") ? "warn" : "ok";
}
