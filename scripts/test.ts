// Everything that shows that the program works, stage by stage, each bounded in time, from a fresh
// clone on: what is missing on the machine is installed and the executable is built.
// What is tested is in tests/ and in the *_test.ts files beside the code.
//
// Usage: deno task test [stage ...]

import { fetchingEnvironment, requirePinnedDeno, ROOT } from "./checkout.ts";
import { runCommand } from "./command.ts";
import { isThere } from "./files.ts";
import { ensurePackages } from "./packages.ts";
import { add, countsIn, faultsOf, NONE, type TestCounts } from "./test_counts.ts";

/** One stage: what is run, and what counts as its success beside exit code 0. */
interface Stage {
  readonly name: string;
  /** Words for the Deno that runs this. */
  readonly command: readonly string[];
  readonly timeLimitSeconds: number;
  /** A folder or file without which there would be nothing to test. */
  readonly subject: string;
  /** Counts tests: then none counted is a failure. */
  readonly counts: boolean;
  /** Its runner knows which tests stay out and why, and fails for others; elsewhere none may. */
  readonly judgesSkips?: true;
}

/** Types were checked by the stage `ok`. */
const DENO_TEST = ["test", "-A", "--no-check"];

/** The stages in their order. The time limits are several times what two slow processors take. */
const STAGES: readonly Stage[] = [
  {
    name: "ok",
    command: ["run", "-A", "scripts/ok.ts"],
    timeLimitSeconds: 600,
    subject: "scripts/ok.ts",
    counts: true,
  },
  {
    name: "build",
    command: ["run", "-A", "scripts/build.ts"],
    timeLimitSeconds: 600,
    subject: "main.ts",
    counts: false,
  },
  {
    name: "scenarios",
    command: [...DENO_TEST, "--ignore=tests/vm,tests/devices,tests/release,tests/arm64", "tests/"],
    timeLimitSeconds: 2400,
    subject: "tests",
    counts: true,
  },
  {
    name: "vm",
    command: [...DENO_TEST, "tests/vm/", "tests/devices/"],
    timeLimitSeconds: 900,
    subject: "tests/vm",
    counts: true,
  },
  {
    name: "release",
    command: [...DENO_TEST, "tests/release/"],
    timeLimitSeconds: 1800,
    subject: "tests/release",
    counts: true,
  },
  {
    name: "arm64",
    command: [...DENO_TEST, "tests/arm64/"],
    timeLimitSeconds: 900,
    subject: "tests/arm64",
    counts: true,
  },
  {
    name: "upstream",
    command: ["run", "-A", "tests/upstream/run.ts"],
    timeLimitSeconds: 1500,
    subject: "tests/upstream/run.ts",
    counts: true,
    judgesSkips: true,
  },
  {
    name: "upstream-devices",
    command: ["run", "-A", "tests/devices/upstream.ts"],
    timeLimitSeconds: 900,
    subject: "tests/devices/upstream.ts",
    counts: true,
    judgesSkips: true,
  },
];

/** The stage whose failure leaves the others without a program to test. */
const BUILD = "build";

/** Runs one stage; a failure that no test reported counts as one failed test. */
async function runStage(stage: Stage): Promise<TestCounts> {
  const start = performance.now();
  console.log(`\n== ${stage.name}`);
  const problems: string[] = [];
  let counts = NONE;
  if (!isThere(`${ROOT}/${stage.subject}`)) {
    problems.push(`there is no "${stage.subject}"`);
  } else {
    const result = await runCommand(Deno.execPath(), stage.command, {
      cwd: ROOT,
      env: fetchingEnvironment(),
      timeLimitMs: stage.timeLimitSeconds * 1000,
      show: true,
    });
    const counted = stage.counts ? countsIn(result.stdout) : null;
    counts = counted ?? NONE;
    if (!result.success) problems.push(result.ending);
    if (stage.counts) problems.push(...faultsOf(counts, stage.judgesSkips ?? false));
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const verdict = problems.length > 0 ? `failed: ${problems.join(", ")}` : "passed";
  console.log(`== ${stage.name} ${verdict} (${seconds} s)`);
  return problems.length > 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

async function runStages(stages: readonly Stage[]): Promise<TestCounts> {
  let total = NONE;
  for (const [index, stage] of stages.entries()) {
    const counts = await runStage(stage);
    total = add(total, counts);
    if (stage.name === BUILD && counts.failed > 0) {
      const left = stages.slice(index + 1);
      for (const { name } of left) console.log(`== ${name} failed: there is no program to test`);
      return add(total, { ...NONE, failed: left.length });
    }
  }
  return total;
}

/** The stages named on the command line, in their order; all of them when none is named. */
function chosenStages(names: readonly string[]): readonly Stage[] {
  const known = STAGES.map((stage) => stage.name);
  for (const name of names) {
    if (!known.includes(name)) throw new Error(`no stage "${name}"; there are ${known.join(", ")}`);
  }
  return names.length === 0 ? STAGES : STAGES.filter((stage) => names.includes(stage.name));
}

if (import.meta.main) {
  requirePinnedDeno(import.meta.url);
  let total: TestCounts;
  try {
    const stages = chosenStages(Deno.args);
    await ensurePackages("test");
    total = await runStages(stages);
  } catch (error) {
    console.error(`test: ${error instanceof Error ? error.message : error}`);
    total = { ...NONE, failed: 1 };
  }
  if (total.ignored > 0) console.log(`\n${total.ignored} ignored`);
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  Deno.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
}
