// Runs one command line and says what its outcome looks like: what scripts and users can tell apart,
// not the wording, which is our own.
import { newLibraries, peer } from "../peers/peers.ts";
import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { within } from "../support/wait.ts";
import { type CommandLine, FILES, FOLDERS } from "./command_lines.ts";

/** A program in the words that start it, less the line's own. */
export interface Contestant {
  /** Words before the program, which the line's variables must not reach. */
  prefix: readonly string[];
  program: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** The C program and ours, both over libtpms 0.10. */
export async function contestants(): Promise<{ c: Contestant; ours: Contestant }> {
  const { swtpm, env } = await peer("0.10");
  const { prefix } = await newLibraries();
  const { command } = programUnderTest();
  return {
    c: { prefix: [], program: swtpm, env },
    ours: { prefix, program: [command], env: {} },
  };
}

/** What an outcome looks like. */
export interface Shape {
  code: number | "does not end";
  stdout: "nothing" | "help" | "JSON" | "text";
  /** Whom the messages on standard error seem to come from; `getopt: ...` word for word. */
  stderr: string;
  /** What is in the log file, where there is one. */
  log: "nothing" | "message";
}

const TIME_MS = 15_000;

/** Runs a line in a new folder with everything in it that lines name. */
export async function shapeOf(contestant: Contestant, line: CommandLine): Promise<Shape> {
  await using folder = new TempDir("swtpm-cli-");
  for (const name of FOLDERS) Deno.mkdirSync(folder.join(name));
  for (const [name, text] of Object.entries(FILES)) Deno.writeTextFileSync(folder.join(name), text);
  // What changes its user works there, too.
  Deno.chmodSync(folder.path, 0o777);
  const { prefix, program, env } = contestant;
  const variables = Object.entries(line.variables ?? {}).map(([name, value]) => `${name}=${value}`);
  const started = variables.length === 0 ? program : ["env", ...variables, ...program];
  const words = [...prefix, ...started, ...line.words];
  const command = line.redirections === undefined
    ? words
    : ["sh", "-c", `exec "$@" ${line.redirections}`, "sh", ...words];
  const child = new Deno.Command(command[0]!, {
    args: command.slice(1),
    cwd: folder.path,
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  try {
    const { code, stdout, stderr } = await within("the end of the program", output, TIME_MS);
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return {
      code,
      stdout: out === "" ? "nothing" : isHelp(out!) ? "help" : isJson(out!) ? "JSON" : "text",
      stderr: stderrOf(err!),
      log: logOf(folder.join("log")),
    };
  } catch {
    child.kill("SIGKILL");
    await output;
    return { code: "does not end", stdout: "nothing", stderr: "nothing", log: "nothing" };
  }
}

function isHelp(text: string): boolean {
  return /^Usage: /m.test(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function stderrOf(text: string): string {
  if (text === "") return "nothing";
  const first = text.split("\n")[0]!;
  const help = isHelp(text) ? " and help" : "";
  if (/^(socket|chardev): /.test(first)) {
    // Our hint is one more word to it.
    return `getopt: ${first.replace(/ \((did you mean '.*'\?|it is one of '.*')\)$/, "")}${help}`;
  }
  if (first.startsWith("swtpm: ")) return `swtpm: message${help}`;
  return `message${help}`;
}

function logOf(path: string): Shape["log"] {
  try {
    return Deno.readTextFileSync(path) === "" ? "nothing" : "message";
  } catch (error) {
    // A log with the mode of another user's is as good as none here.
    if (error instanceof Deno.errors.NotFound) return "nothing";
    throw error;
  }
}
