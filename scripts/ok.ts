// The quick look before a commit: format, lint, types, layers and unit tests, stopping at the first
// that fails. Tests of the finished program are left to test.ts.
//
// Usage: deno task ok

import { checkCheckout, formatViolation } from "./check_layers.ts";
import {
  fetchingEnvironment,
  LOCK_FLAGS,
  requirePinnedDeno,
  ROOT,
  typeScriptBelow,
} from "./checkout.ts";
import { runCommand } from "./command.ts";
import { lastSummary } from "./test_counts.ts";

/** How one step ended: what to show of it when it passed, or the whole output when it did not. */
interface Verdict {
  readonly passed: boolean;
  readonly note: string;
}

interface Step {
  readonly name: string;
  run(): Promise<Verdict>;
}

const files = typeScriptBelow(ROOT);
const unitTests = files.filter((file) => file.endsWith("_test.ts") && !file.startsWith("tests/"));

const STEPS: readonly Step[] = [
  { name: "format", run: () => deno(["fmt", "--check"], 60) },
  { name: "lint", run: () => deno(["lint"], 60) },
  { name: "types", run: () => deno(["check", "--quiet", ...LOCK_FLAGS, ...files], 180) },
  { name: "layers", run: layers },
  // Types were checked two steps before.
  {
    name: "unit tests",
    run: () => deno(["test", "-A", "--no-check", ...LOCK_FLAGS, ...unitTests], 300),
  },
];

async function deno(args: readonly string[], timeLimitSeconds: number): Promise<Verdict> {
  const result = await runCommand(Deno.execPath(), args, {
    cwd: ROOT,
    env: fetchingEnvironment(),
    timeLimitMs: timeLimitSeconds * 1000,
  });
  return result.success
    ? { passed: true, note: lastSummary(result.stdout) ?? "" }
    : { passed: false, note: `deno ${args[0]}: ${result.ending}\n${result.output}` };
}

async function layers(): Promise<Verdict> {
  const violations = checkCheckout(ROOT);
  return { passed: violations.length === 0, note: violations.map(formatViolation).join("\n") };
}

if (import.meta.main) {
  requirePinnedDeno(import.meta.url);
  for (const { name, run } of STEPS) {
    const start = performance.now();
    const { passed, note } = await run();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if (!passed) {
      console.log(`${name} failed after ${seconds} s\n${note}`);
      Deno.exit(1);
    }
    console.log(`${name.padEnd(12)}${seconds.padStart(5)} s  ${note}`.trimEnd());
  }
}
