// Reads how many tests passed and failed out of what a test runner wrote.
// Running it is left to the callers.

/** What one runner, or all of them, counted. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

/** `ok | 12 passed (3 steps) | 0 failed | 1 ignored (2s)`: the closing line of `deno test`. */
const DENO_SUMMARY = /^.*?(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(.*)$/;

/** `12 passed, 0 failed, 1 skipped`: the closing line of the runner of the C program's own tests. */
const PLAIN_SUMMARY = /^(\d+) passed, (\d+) failed(.*)$/;

/** The colours that runners put into what they write. */
// deno-lint-ignore no-control-regex
const ESCAPES = /\x1b\[[0-9;]*m/g;

/** The counts a runner closed with; null when it closed with none. Tests may print such lines too: the last one counts. */
export function countsIn(output: string): TestCounts | null {
  const match = summaryMatch(output);
  if (match === null) return null;
  const [, passed, failed, rest] = match;
  const ignored = /(\d+) (?:ignored|skipped)/.exec(rest ?? "")?.[1] ?? "0";
  return { passed: Number(passed), failed: Number(failed), ignored: Number(ignored) };
}

/** What is wrong with counts beside failed tests; `skipsJudged`: somebody knows why tests stay out. */
export function faultsOf({ passed, failed, ignored }: TestCounts, skipsJudged: boolean): string[] {
  const faults: string[] = [];
  if (passed + failed === 0) faults.push("no test ran");
  if (ignored > 0 && !skipsJudged) faults.push(`${ignored} skipped, which nobody expects`);
  return faults;
}

/** The closing line itself, without colours. */
export function lastSummary(output: string): string | null {
  return summaryMatch(output)?.[0].trim() ?? null;
}

function summaryMatch(output: string): RegExpExecArray | null {
  for (const line of output.replace(ESCAPES, "").split("\n").reverse()) {
    const match = DENO_SUMMARY.exec(line) ?? PLAIN_SUMMARY.exec(line);
    if (match !== null) return match;
  }
  return null;
}

/** The sum of two counts. */
export function add(one: TestCounts, other: TestCounts): TestCounts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    ignored: one.ignored + other.ignored,
  };
}

/** No tests at all. */
export const NONE: TestCounts = { passed: 0, failed: 0, ignored: 0 };
