// `swtpm start`: a TPM in the background that stays until `swtpm stop`, and the variables by which
// TPM software finds it, for a shell, for a program, or for the next steps of a GitHub workflow.
import type { Surroundings } from "../../cli/line.ts";
import { pageText } from "../../cli/page.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { Background, startInBackground } from "../../daemon/start/background.ts";
import { confine } from "../../daemon/powers/confine.ts";
import { Log } from "../../daemon/output/log.ts";
import { print } from "../../daemon/output/output.ts";
import { EndingSignals } from "../../daemon/end/signals.ts";
import type { System } from "../../daemon/system.ts";
import type { Variables } from "../../ffi/children.ts";
import { openOwnTpm } from "../own_tpm/own_tpm.ts";
import { addressesOf, makeFolder, type Place, unixPlace } from "../own_tpm/place.ts";
import { tctiOf, variablesFor } from "../own_tpm/variables.ts";
import { startPage } from "./help.ts";
import { type StartOptions, startOptions } from "./options.ts";

/** Names a file of lines NAME=VALUE that a workflow's next steps get as variables. */
const GITHUB_FILE = "GITHUB_ENV";
const GITHUB_FILE_MODE = 0o644;

/** What `eval "$(swtpm start)"` gets where there is no TPM: its exit code is seen, ours is not. */
const FAILURE_LINE = "false\n";

/** Starts the TPM, or is it; returns the exit code of either. */
export async function start(
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
): Promise<number> {
  const background = Background.take(system);
  let forShell = true;
  const tellShell = () => {
    try {
      if (forShell) print(system, FAILURE_LINE);
    } catch {
      // The failure itself is told on standard error.
    }
  };
  let wanted;
  let githubFile;
  try {
    wanted = startOptions(words, surroundings);
    if (wanted !== "help") {
      forShell = !wanted.json && !wanted.githubEnv;
      githubFile = githubFileOf(wanted, surroundings);
    }
  } catch (error) {
    // What the words ask for may not be known: as JSON it is no TPM, either.
    tellShell();
    throw error;
  }
  if (wanted === "help") {
    print(system, pageText(startPage()));
    return 0;
  }
  if (background === undefined) return startInBackground(system, tellShell);
  await serve(system, wanted, githubFile, background);
  return 0;
}

/** The file for --github-env where that was given. Throws UsageError where there is none. */
function githubFileOf(
  { githubEnv }: StartOptions,
  { variable }: Surroundings,
): string | undefined {
  if (!githubEnv) return undefined;
  const file = variable(GITHUB_FILE);
  if (file !== undefined) return file;
  throw new UsageError(`--github-env is for GitHub workflows: ${GITHUB_FILE} is not set`);
}

async function serve(
  system: System,
  wanted: StartOptions,
  githubFile: string | undefined,
  background: Background,
): Promise<void> {
  const { tpm: options, json } = wanted;
  using closers = new DisposableStack();
  const log = await Log.open(system.files, options.log);
  const signals = closers.use(new EndingSignals(system.signals));
  background.onAbandoned((reason) => signals.ask(reason));
  const opened = await signals.orElse(openOwnTpm({
    system,
    options,
    place: options.tcp ? undefined : unixPlace(ownFolder(system, closers), options.beside),
    log,
  }, closers));
  if (opened === undefined) throw new Error(`ended by ${signals.reason} before it was ready`);
  const { place } = opened;
  const loop = await opened.openLoop();
  signals.onEnd(() => loop.end());
  const variables = variablesFor(place, options.tpm2);
  confine(system, "kill", (message) => log.line(message));
  // Last, when nothing can fail any more.
  if (githubFile !== undefined) {
    system.files.append(githubFile, assignments(variables), GITHUB_FILE_MODE);
  }
  if (json) print(system, `${JSON.stringify(description(place, variables))}\n`);
  else if (githubFile === undefined) print(system, shellLines(variables));
  background.ready(log);
  await loop.run();
}

function ownFolder({ files }: System, closers: DisposableStack): string {
  const made = makeFolder();
  if ("folder" in made) {
    // By C: the runtime may not do so any more when it comes to that.
    closers.defer(() => files.removeDirectory(made.folder));
    return made.folder;
  }
  throw new Error(
    `no folder can be made for the sockets, so use --tcp: ${made.reasons.join(", ")}`,
  );
}

/** What `--json` prints. */
function description(place: Place, variables: Variables) {
  return { pid: Deno.pid, tcti: tctiOf(place), ...addressesOf(place), env: variables };
}

function assignments(variables: Variables): string {
  return Object.entries(variables)
    .map(([name, value]) => value === undefined ? "" : `${name}=${value}\n`)
    .join("");
}

/** Lines for a shell's eval. */
function shellLines(variables: Variables): string {
  const quote = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`;
  const unset = Object.keys(variables).filter((name) => variables[name] === undefined);
  const set = Object.entries(variables).map(([name, value]) =>
    value === undefined ? "" : `export ${name}=${quote(value)}\n`
  );
  return `unset ${unset.join(" ")}\n${set.join("")}`;
}
