// What a client's test suite is to the runner: parts, each a command that gets a TPM, and what their
// end or their output says of single tests.

import type { Outcome } from "../support/process.ts";
import type { Sources } from "./sources.ts";
import type { TpmKind } from "./tpms.ts";

export type Verdict = "pass" | "fail" | "skip";

/** How one test has ended. */
export interface Result {
  readonly name: string;
  readonly verdict: Verdict;
}

/** One command of a suite, which gets a TPM of its own. */
export interface Part {
  readonly name: string;
  /** `{port}` becomes that of the simulator's command port. */
  readonly command: readonly string[];
  /** A folder for nothing else, where it is not said. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** It starts its TPM itself; the program under test is in SWTPM_EXE. */
  readonly startsTpm?: boolean;
  /** The tests in its output; where it is not said, the part is one test. */
  readonly results?: (outcome: Outcome) => Result[];
}

export interface Suite {
  readonly name: string;
  /** Which TPMs it can be run with; the first is meant when none is named. */
  readonly tpms: readonly TpmKind[];
  /** Its parts may not run at the same time, as when they listen at one port. */
  readonly oneAtATime?: boolean;
  /** Fetches and builds what it needs. */
  readonly parts: (sources: Sources, tpm: TpmKind) => Promise<Part[]>;
}

/** What automake's tests say with their exit code. */
const SKIPPED = 77;

export function verdictOf({ code }: Outcome): Verdict {
  return code === 0 ? "pass" : code === SKIPPED ? "skip" : "fail";
}
