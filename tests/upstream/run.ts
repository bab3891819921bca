// Runs the C project's own test scripts on our executable, compares each result with
// expected.ts, and closes with "N passed, N failed, N skipped".
// How a script is run is in chamber.ts, how its result is read in judge.ts, what each needs and
// why one stays out in expected.ts.

import { join, resolve } from "node:path";
import { newLibraries, treeVersion, unstableRoot, upstreamTree } from "../peers/peers.ts";
import { isSince } from "../peers/version.ts";
import { type Chamber, runScript } from "./chamber.ts";
import { EXPECTED, EXPECTED_OF } from "./expected.ts";
import { judge, type Verdict } from "./judge.ts";
import { prepareTree, scriptsOf, type Tools } from "./tree.ts";

const USAGE = `Usage: deno run -A tests/upstream/run.ts [OPTION...] [SCRIPT...]
Runs the C project's test scripts (all of them, or those named) on an executable.

  --exe PATH       executable under test; "0.10" is the C program itself
                   (default: the variable SWTPM_EXE, else dist/swtpm)
  --libtpms WHICH  "0.10", the version the scripts were written for, or "system"
                   (default: 0.10)
  --tools WHOSE    "ours", the executable's own tools, with none of the C programs in reach, or
                   "c", the C programs (default: ours; with --exe 0.10 "c" alone makes sense)
  --jobs N         how many scripts run at the same time (default: 2)
  --tree DIR       a source tree of the C project to take the scripts from, such as its
                   development tree (default: that of the C programs 0.10, which is fetched)

A script that stays out is run only when it is named.`;

/** All but a few scripts (expected.ts has these) take less than 5 s with the C program. */
const SECONDS_MAX = 120;
const PROJECT = join(import.meta.dirname!, "../..");
const HOME = join(PROJECT, ".cache/upstream");
/** Lines of a failed script's log that are shown. */
const LOG_TAIL = 15;

interface Options {
  readonly exe: string;
  readonly libtpms: "0.10" | "system";
  readonly tools: Tools;
  readonly jobs: number;
  readonly tree: string | undefined;
  readonly names: readonly string[];
}

/** Words on the command line that make no sense. */
class UsageError extends Error {}

function parseOptions(args: readonly string[]): Options {
  let exe = Deno.env.get("SWTPM_EXE") ?? join(PROJECT, "dist/swtpm");
  let libtpms: Options["libtpms"] = "0.10";
  let tools: Tools | undefined;
  let jobs = 2;
  let tree: string | undefined;
  const names: string[] = [];
  const words = [...args];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const value = () => {
      const next = words.shift();
      if (next === undefined) throw new UsageError(`${word} needs a value`);
      return next;
    };
    if (word === "--exe") exe = value();
    else if (word === "--tree") tree = resolve(value());
    else if (word === "--tools") {
      const whose = value();
      if (whose !== "ours" && whose !== "c") {
        throw new UsageError(`--tools is "ours" or "c", not "${whose}"`);
      }
      tools = whose;
    } else if (word === "--libtpms") {
      const which = value();
      if (which !== "0.10" && which !== "system") {
        throw new UsageError(`--libtpms is "0.10" or "system", not "${which}"`);
      }
      libtpms = which;
    } else if (word === "--jobs") {
      jobs = Number(value());
      if (!Number.isInteger(jobs) || jobs < 1) throw new UsageError("--jobs needs a number from 1");
    } else if (word.startsWith("-")) throw new UsageError(`There is no option "${word}"`);
    else names.push(word);
  }
  tools ??= exe === "0.10" ? "c" : "ours";
  if (exe === "0.10" && tools === "ours") throw new UsageError("The C program has no own tools");
  return { exe, libtpms, tools, jobs, tree, names };
}

/** The executable and the libraries it runs with, as files the chamber can mount. */
async function underTest(options: Options): Promise<Pick<Chamber, "exe" | "libraries">> {
  const over = `/usr/lib/${Deno.build.arch}-linux-gnu`;
  if (options.exe === "0.10") {
    // The C program itself, not a wrapper: one script looks whether the file is an ELF file.
    const root = await unstableRoot();
    return { exe: join(root, "usr/bin/swtpm"), libraries: { dir: join(root, over), over } };
  }
  const exe = resolve(options.exe);
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(exe);
  } catch (error) {
    throw new Error(`There is no executable "${exe}": build it, or name one with --exe`, {
      cause: error,
    });
  }
  if (!info.isFile || ((info.mode ?? 0) & 0o005) !== 0o005) {
    throw new Error(`"${exe}" cannot be executed by every user: some scripts run it as "nobody"`);
  }
  return {
    exe,
    libraries: options.libtpms === "system" ? undefined : { dir: (await newLibraries()).dir, over },
  };
}

/** A tree may lack the scripts that came later, or went; those are not missed. */
function isInTree(name: string, scripts: readonly string[]): boolean {
  const { since, until } = EXPECTED[name]!;
  return (since ?? until) === undefined || scripts.includes(name);
}

async function linesOf(log: string): Promise<string[]> {
  return new TextDecoder().decode(await Deno.readFile(log)).trimEnd().split("\n");
}

async function main(): Promise<number> {
  const options = parseOptions(Deno.args);
  if (Deno.uid() !== 0) throw new Error("The scripts need root: namespaces, mounts, --runas");
  const started = performance.now();
  const source = options.tree === undefined
    ? await upstreamTree()
    : { dir: options.tree, version: await treeVersion(options.tree) };
  const scripts = await scriptsOf(source.dir);
  for (const name of options.names) {
    if (!scripts.includes(name)) {
      throw new UsageError(`The C project's tree has no test script "${name}"`);
    }
  }
  const tested = await underTest(options);

  await Deno.mkdir(HOME, { recursive: true });
  const logs = join(HOME, "logs");
  await Deno.mkdir(logs, { recursive: true });
  const scratch = await Deno.makeTempDir({ dir: HOME, prefix: "run-" });
  const abort = new AbortController();
  const interrupt = () => abort.abort(new Error("interrupted"));
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, interrupt);
  const count = { PASS: 0, FAIL: 0, SKIP: 0 };
  try {
    const chamber: Chamber = {
      ...tested,
      scratch,
      tree: join(scratch, "tree"),
      peers: await unstableRoot(),
      hidesPeers: options.tools === "ours",
      logs,
    };
    await Deno.mkdir(chamber.tree);
    const isNewer = !isSince(EXPECTED_OF, source.version);
    await prepareTree(source.dir, chamber.tree, options.tools, isNewer ? HOME : undefined);
    const report = (name: string, verdict: Verdict, seconds: number) => {
      count[verdict.word]++;
      const why = verdict.why === undefined ? "" : `  ${verdict.why}`;
      console.log(`${verdict.word} ${name.padEnd(42)}${seconds.toFixed(1).padStart(6)} s${why}`);
    };

    const wanted = options.names.length > 0 ? options.names : [
      // In the order of the table, which begins with the slow ones; then what it does not know.
      ...Object.keys(EXPECTED).filter((name) => isInTree(name, scripts)),
      ...scripts.filter((name) => EXPECTED[name] === undefined),
    ];
    console.log(`swtpm ${source.version}'s scripts on ${tested.exe}, ${options.jobs} at a time`);
    const queue = [...wanted];
    const worker = async () => {
      for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
        const row = EXPECTED[name];
        const expected = row === undefined || !isNewer ? row : { ...row, ...row.later };
        if (expected === undefined) {
          report(name, unknown(source.version), 0);
        } else if (!scripts.includes(name)) {
          report(name, { word: "FAIL", why: "the C project's tree does not have it" }, 0);
        } else if (expected.expect !== "pass" && options.names.length === 0) {
          report(name, { word: "SKIP", why: expected.expect.skip }, 0);
        } else {
          const secondsMax = expected.secondsMax ?? SECONDS_MAX;
          const outcome = await runScript(chamber, name, secondsMax, abort.signal);
          const log = await linesOf(outcome.log);
          const verdict = judge(expected, outcome, log);
          report(name, verdict, outcome.seconds);
          if (verdict.word === "FAIL") {
            console.log(log.slice(-LOG_TAIL).map((line) => `    ${line}`).join("\n"));
          }
        }
      }
    };
    const workers = await Promise.allSettled(Array.from({ length: options.jobs }, worker));
    for (const ended of workers) if (ended.status === "rejected") throw ended.reason;
  } finally {
    for (const name of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(name, interrupt);
    await Deno.remove(scratch, { recursive: true });
  }
  console.log(`${((performance.now() - started) / 1000).toFixed(0)} s, logs in ${logs}`);
  console.log(`${count.PASS} passed, ${count.FAIL} failed, ${count.SKIP} skipped`);
  return count.FAIL === 0 ? 0 : 1;
}

/** A script that the table does not know: in a development tree it may be of yesterday. */
function unknown(version: string): Verdict {
  return isSince(EXPECTED_OF, version)
    ? { word: "FAIL", why: "expected.ts does not know it" }
    : { word: "SKIP", why: "expected.ts does not know it" };
}

try {
  Deno.exit(await main());
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  if (error instanceof UsageError) console.error(USAGE);
  Deno.exit(error instanceof UsageError ? 2 : 1);
}
