// Makes dist/swtpm out of main.ts with `deno bundle` and `deno compile`, or leaves it when nothing
// has changed. Where the base executable comes from is left to denort.ts, what it carries to embed.ts,
// how its code is made before it starts to executable/.
//
// Usage: deno task build [--force] [--arch x64|arm64]

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import {
  DENO_VERSION,
  fetchingEnvironment,
  filesBelow,
  LOCK_FLAGS,
  requirePinnedDeno,
  ROOT,
  triesOut,
} from "./checkout.ts";
import { lastLines, runCommand } from "./command.ts";
import {
  type Arch,
  type Base,
  baseStillServes,
  insertBehindBase,
  obtainBase,
  TARGETS,
} from "./denort.ts";
import { describeEmbedding, embed, type Embedding, insideOf } from "./embed.ts";
import { LATER, type Place, PLACES, type Places, PROGRAM } from "./executable/parts.ts";
import { cutTexts } from "./executable/texts.ts";
import { digestOfFile } from "./files.ts";
import { entryCode, withOwnLoader } from "./executable/own_loader.ts";
import { emulationOf } from "./executable/emulation.ts";
import { train, type Trained, TRAINING_FLAG } from "./executable/training.ts";
import { writeManualPages } from "./man.ts";

/** The powers the executable starts with; what the chosen options do not need is given up at start. */
export const PERMISSIONS: readonly { readonly flag: string; readonly reason: string }[] = [
  { flag: "--allow-ffi", reason: "libtpms and libc; a list would be matched against file paths" },
  { flag: "--allow-net", reason: "TCP sockets for data and control, at addresses options name" },
  { flag: "--allow-read", reason: "state, keys and Unix sockets, in folders options name" },
  { flag: "--allow-write", reason: "state, locks, logs, pid files, Unix sockets" },
  {
    flag: "--allow-env",
    reason: "NOTIFY_SOCKET, TPM_PORT and others, the mark of the background child",
  },
  {
    flag: "--allow-run",
    reason: "doctor and state start this program once more, as libtpms may take it along",
  },
];

/** How the runtime is tuned; each was measured. */
export const RUNTIME_FLAGS: readonly { readonly flag: string; readonly reason: string }[] = [
  { flag: "--no-prompt", reason: "a daemon has nobody to ask" },
  { flag: "--unstable-raw-imports", reason: "how a part is read where no file may be" },
  {
    flag: "--no-code-cache",
    reason: "its file has a name in /tmp that anyone can foretell; ours is in the executable",
  },
  {
    flag: "--v8-flags=--max-semi-space-size=1,--single-threaded," +
      "--invocation-count-for-maglev=100,--minimum-invocations-after-ic-update=50," +
      "--invocation-count-for-turbofan=8000,--max-inlined-bytecode-size-cumulative=300",
    reason:
      "a small young generation halves private memory when many commands make garbage; V8's " +
      "helpers save a TPM nothing, and the first time that they and it wait for each other V8 " +
      "sleeps for 3 ms to measure the processor's clock; a TPM serves a few thousand commands in " +
      "its life: what a command runs through is compiled after a hundred of them, not 400, and by " +
      "the last compiler, whose code calls C without a detour, when there are more than a boot's; " +
      "with a third of the inlining that takes it a fifth less time, and the code is as fast",
  },
];

/**
 * What is compiled is the bundle: all code is in the checkout, but for the packages that deno.lock
 * names by their hashes.
 */
export const SOURCE_FLAGS = ["--no-config", "--no-check", "--no-remote", "--no-npm"];

/** The first modules of executables. */
const EXECUTABLE = "scripts/executable/";

/** Without --minify a start takes 0.5 MB more. */
const BUNDLE_FLAGS = ["--quiet", "--minify", "--platform", "deno", ...LOCK_FLAGS];
/** The modules that are always loaded together become one. */
const CHUNK_FLAGS = [...BUNDLE_FLAGS, "--code-splitting"];
/** Of these two functions are made, as V8 makes code of a script ahead; see executable/texts.ts. */
const TEXT_FLAGS = [...BUNDLE_FLAGS, "--format", "cjs"];

/** Measured 2 s with all of Deno's caches empty; the rest is for slow disks. */
const COMPILE_LIMIT_MS = 180_000;

/** What a build made, or found already made. */
export interface BuildResult {
  readonly path: string;
  readonly size: number;
  readonly route: Base["route"];
  readonly rebuilt: boolean;
  readonly embedding: Embedding;
}

/** Kept beside the executable: what it was made from. */
interface Stamp {
  readonly inputs: string;
  readonly executable: string;
  readonly route: Base["route"];
  readonly base: string;
}

/** Builds the executable for `arch`, unless the one in dist/ was made from the very same input. */
export async function build(
  options: { readonly arch?: Arch; readonly force?: boolean } = {},
): Promise<BuildResult> {
  const arch = options.arch ?? thisArch();
  const name = arch === thisArch() ? "swtpm" : `swtpm-${arch}`;
  const path = `${ROOT}/dist/${name}`;
  const stampPath = `${ROOT}/dist/${name}.build.json`;
  const cacheFolder = `${ROOT}/.cache/denort`;
  const embedding = await embed(arch, arch === thisArch());
  const inputs = digestOfInputs(arch, embedding);

  const stamp = readStamp(stampPath);
  if (
    !options.force && stamp !== null && stamp.inputs === inputs &&
    baseStillServes(stamp.route, stamp.base, arch) &&
    digestOfFile(path) === stamp.executable
  ) {
    const { size } = Deno.statSync(path);
    return { path, size, route: stamp.route, rebuilt: false, embedding };
  }

  const denort = await obtainBase(arch, cacheFolder);
  Deno.mkdirSync(`${ROOT}/dist`, { recursive: true });
  const unfinished = `${ROOT}/dist/.${name}.${Deno.pid}`;
  try {
    const parts = `${unfinished}.parts`;
    await bundle(parts);
    const archive = "archive" in embedding ? embedding.archive : new Uint8Array(0);
    const ownBase = `${unfinished}.base`;
    const loading = withOwnLoader(denort.bytes, entryCode(arch), arch, insideOf(archive));
    Deno.writeFileSync(ownBase, loading, { mode: 0o755 });
    const compile = (
      first: string,
      output: string,
      beside: readonly string[],
      flags: readonly string[] = RUNTIME_FLAGS.map(({ flag }) => flag),
    ) => {
      // The runtime's view of its files has the times of these: the same input gives the same bytes.
      for (const file of [first, ...beside]) Deno.utimeSync(`${parts}/${file}`, 0, 0);
      return deno(
        [
          ...["compile", "--target", TARGETS[arch].triple, "--output", output],
          ...SOURCE_FLAGS,
          ...flags,
          ...PERMISSIONS.map(({ flag }) => flag),
          ...beside.flatMap((file) => ["--include", `${parts}/${file}`]),
          `${parts}/${first}`,
        ],
        { DENORT_BIN: ownBase },
      );
    };
    const trainer = `${unfinished}.trainer`;
    await compile("trainer.js", trainer, [PROGRAM, ...LATER], trainerFlags());
    // It may have to use the libraries inside.
    Deno.writeFileSync(trainer, insertBehindBase(Deno.readFileSync(trainer), archive));
    const code = "archive" in embedding ? await codeFor(arch, trainer) : undefined;
    const behind = new Appended(loading.length + archive.length);
    const placesOf = (pieces: readonly (readonly [string, Uint8Array])[]) =>
      Object.fromEntries(pieces.map(([name, bytes]) => [name, behind.add(bytes)]));
    const places: Places = {
      texts: placesOf(LATER.map((name) => [name, Deno.readFileSync(`${parts}/${name}`)])),
      codes: placesOf(Object.entries(code ?? {})),
    };
    Deno.writeTextFileSync(`${parts}/${PLACES}`, JSON.stringify(places));
    await compile("loader.js", unfinished, [PROGRAM, PLACES]);
    const program = Deno.readFileSync(unfinished);
    Deno.writeFileSync(
      unfinished,
      insertBehindBase(program, Buffer.concat([archive, ...behind.pieces])),
    );
    const executable = digestOfFile(unfinished);
    if (executable === null) throw new Error(`"deno compile" wrote no file "${unfinished}"`);
    Deno.renameSync(unfinished, path); // whoever starts dist/swtpm meanwhile gets the old or the new one
    const made: Stamp = { inputs, executable, route: denort.route, base: denort.id };
    Deno.writeTextFileSync(stampPath, JSON.stringify(made, null, 2) + "\n");
  } finally {
    for (const entry of Deno.readDirSync(`${ROOT}/dist`)) {
      // `deno compile` has a temporary file of its own, named after its output.
      if (entry.name.startsWith(`.${name}.${Deno.pid}`)) {
        Deno.removeSync(`${ROOT}/dist/${entry.name}`, { recursive: true });
      }
    }
  }
  return { path, size: Deno.statSync(path).size, route: denort.route, rebuilt: true, embedding };
}

/** The same as the executable's, and what has no part in V8's check of a code cache. */
function trainerFlags(): string[] {
  const v8 = "--v8-flags=";
  return RUNTIME_FLAGS.map(({ flag }) => flag.startsWith(v8) ? `${flag},${TRAINING_FLAG}` : flag);
}

/** It takes a libtpms and the processor, or its likeness, to see which code there should be. */
async function codeFor(arch: Arch, trainer: string): Promise<Trained | undefined> {
  if (arch === thisArch()) return await train(trainer);
  const emulation = await emulationOf(arch);
  return emulation === undefined ? undefined : await train(trainer, emulation);
}

/** What goes behind the base, from `at` on, each with its digest before it. */
class Appended {
  readonly pieces: Uint8Array[] = [];

  constructor(private at: number) {}

  add(bytes: Uint8Array): Place {
    const digest = createHash("sha256").update(bytes).digest();
    const place = { at: this.at, size: bytes.length, digest: digest.toString("hex") };
    this.pieces.push(digest, bytes);
    this.at += digest.length + bytes.length;
    return place;
  }
}

/** Puts the program and the first modules of executables into `folder`, one file each. */
async function bundle(folder: string): Promise<void> {
  const env = fetchingEnvironment(); // its bundler is a package, too
  const first = ["loader", "trainer"].map((name) => `${EXECUTABLE}${name}.ts`);
  await deno(["bundle", ...BUNDLE_FLAGS, "--outdir", folder, ...first], env);
  const chunks = `${folder}/chunks`;
  await deno(["bundle", ...CHUNK_FLAGS, "--outdir", chunks, "main.ts"], env);
  await cutTexts(chunks, async (entry, externals) => {
    const output = `${folder}/${entry}`;
    const flags = externals.flatMap((external) => ["--external", external]);
    await deno(["bundle", ...TEXT_FLAGS, ...flags, "-o", output, `${chunks}/${entry}`], env);
    return output;
  });
}

/** Runs the Deno that runs this. */
async function deno(args: readonly string[], env: Record<string, string>): Promise<void> {
  const result = await runCommand(Deno.execPath(), args, {
    timeLimitMs: COMPILE_LIMIT_MS,
    cwd: ROOT,
    env,
  });
  if (result.success) return;
  throw new Error(`"deno ${args[0]}" failed, ${result.ending}:\n${lastLines(result.output, 60)}`);
}

/** The processor this runs on; the program is for Linux on two of them. */
export function thisArch(): Arch {
  if (Deno.build.os !== "linux") throw new Error(`swtpm runs on Linux, this is ${Deno.build.os}`);
  switch (Deno.build.arch) {
    case "x86_64":
      return "x64";
    case "aarch64":
      return "arm64";
  }
}

/** One digest over all that decides what the executable holds, apart from its base. */
function digestOfInputs(arch: Arch, embedding: Embedding): string {
  const hash = createHash("sha256");
  const flags = [...SOURCE_FLAGS, ...[...RUNTIME_FLAGS, ...PERMISSIONS].map(({ flag }) => flag)];
  hash.update(JSON.stringify([DENO_VERSION, arch, flags, CHUNK_FLAGS, TEXT_FLAGS]));
  for (const file of filesBelow(ROOT)) {
    if (!isInput(file)) continue;
    hash.update(JSON.stringify([file, digestOfFile(`${ROOT}/${file}`)]));
  }
  hash.update("archive" in embedding ? embedding.archive : embedding.reason);
  return hash.digest("hex");
}

/**
 * Whether a file decides what the executable holds: the program, and the steps of the build, which
 * use nothing of tests/ (check_layers.ts).
 */
export function isInput(file: string): boolean {
  if (!file.includes("/")) return /^(main\.ts|deno\.json|deno\.lock)$/.test(file);
  return !/^(tests|\.[^/]*)\//.test(file) && !triesOut(file) && !file.endsWith("_test.ts");
}

/** A stamp that is missing or damaged only means that the build has to be done. */
function readStamp(path: string): Stamp | null {
  try {
    return JSON.parse(Deno.readTextFileSync(path)) as Stamp;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return null;
    throw error;
  }
}

function archOption(value: string | undefined): Arch | undefined {
  if (value === undefined || value === "x64" || value === "arm64") return value;
  throw new Error(`--arch is "x64" or "arm64", not "${value}"`);
}

/** One line about a build, for a person. */
export function describe(result: BuildResult, seconds: number): string {
  const size = (result.size / 1e6).toFixed(1);
  const route = { DENORT_BIN: "DENORT_BIN", official: "Deno's download", npm: "npm package" };
  return `${result.path}: ${size} MB, ${result.rebuilt ? "built" : "up to date"}, ` +
    `base from ${route[result.route]}, ${describeEmbedding(result.embedding)}, ` +
    `${seconds.toFixed(1)} s`;
}

if (import.meta.main) {
  requirePinnedDeno(import.meta.url);
  try {
    const start = performance.now();
    const { values } = parseArgs({
      args: Deno.args,
      options: { force: { type: "boolean" }, arch: { type: "string" } },
    });
    const arch = archOption(values.arch);
    const result = await build({
      ...(arch === undefined ? {} : { arch }),
      force: values.force ?? false,
    });
    await writeManualPages();
    console.log(describe(result, (performance.now() - start) / 1000));
  } catch (error) {
    console.error(`build: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
