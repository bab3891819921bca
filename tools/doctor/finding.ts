// What the doctor says about one thing it looked at.

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

/** The worst of all. */
export function overall(findings: readonly Finding[]): Verdict {
  const verdicts = new Set(findings.map(({ verdict }) => verdict));
  return verdicts.has("fail") ? "fail" : verdicts.has("warn") ? "warn" : "ok";
}
