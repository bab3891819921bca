// `swtpm start`: a TPM in the background that stays until `swtpm stop`, and the variables by which
// TPM software finds it, for a shell, for a program, or for the next steps of a GitHub workflow.
import type { Surroundings } from "../cli/line.ts";
import { UsageError } from "../cli/usage_error.ts";
import { Background, startInBackground } from "../daemon/background.ts";
import { confine } from "../daemon/confine.ts";
import { Log } from "../daemon/log.ts";
import { print } from "../daemon/output.ts";
import { EndingSignals } from "../daemon/signals.ts";
import type { System } from "../daemon/system.ts";
import type { Variables } from "../ffi/children.ts";
import { O } from "../ffi/files.ts";
import { START_HELP } from "./run/help.ts";
import { readWords, type Wanted } from "./run/options.ts";
import { openOwnTpm } from "./run/own_tpm.ts";
import { addressesOf, makeFolder, type Place, unixPlace } from "./run/place.ts";
import { tctiOf, variablesFor } from "./run/variables.ts";

/** Names a file of lines NAME=VALUE that a workflow's next steps get as variables. */
const GITHUB_FILE = "GITHUB_ENV";
const GITHUB_FILE_MODE = 0o644;

/** Starts the TPM, or is it; returns the exit code of either. */
export async function start(
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
): Promise<number> {
  const wanted = readWords("start", words, surroundings);
  if (wanted === "help") {
    print(system, START_HELP);
    return 0;
  }
  const [operand] = wanted.command;
  if (operand !== undefined) throw new UsageError(`Unknown parameter '${operand}'`);
  const githubFile = wanted.githubEnv ? surroundings.variable(GITHUB_FILE) : undefined;
  if (wanted.githubEnv && githubFile === undefined) {
    throw new UsageError(`--github-env is for GitHub workflows: ${GITHUB_FILE} is not set`);
  }
  const background = Background.take(system);
  if (background === undefined) return startInBackground(system);
  return await serve(system, wanted, githubFile, background);
}

async function serve(
  system: System,
  wanted: Wanted,
  githubFile: string | undefined,
  background: Background,
): Promise<number> {
  const { tpm: options, json } = wanted;
  using closers = new DisposableStack();
  const log = Log.open(system.files, options.log);
  const { place, loop } = await openOwnTpm({
    system,
    options,
    place: options.tcp ? undefined : unixPlace(ownFolder(system, closers)),
    log,
  }, closers);
  closers.use(new EndingSignals()).onEnd(() => loop.end());
  const variables = variablesFor(place, options.tpm2);
  if (githubFile !== undefined) append(system, githubFile, assignments(variables));
  if (json) print(system, `${JSON.stringify(description(place, variables))}\n`);
  else if (githubFile === undefined) print(system, shellLines(variables));
  confine(system, "kill", (message) => log.line(message));
  background.ready(log);
  await loop.run();
  return 0;
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

function append({ files }: System, path: string, text: string): void {
  const fd = files.open(path, O.WRONLY | O.CREAT | O.APPEND, GITHUB_FILE_MODE);
  try {
    files.write(fd, new TextEncoder().encode(text), path);
  } finally {
    files.close(fd);
  }
}
