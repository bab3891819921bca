// Runs one tool's command lines and says what came of them: exit code, output, what is in the folder.
// Which lines, and what is held against what, is left to the tests.

import type { Address } from "../support/client.ts";
import { run } from "../support/process.ts";
import type { Program } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import type { ToolLine } from "./lines.ts";

/** What a line has come to. */
export interface Shape {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Names, modes and sizes of the files in the folder that are new or changed, and those that went. */
  readonly files: readonly string[];
}

/** A folder of a run, with a file that is no state. */
export function runFolder(): TempDir {
  const folder = new TempDir("swtpm-lines-");
  Deno.writeTextFileSync(folder.join("text"), "no state at all");
  Deno.chmodSync(folder.join("text"), 0o600);
  return folder;
}

/** The words that lead to an address. */
export function wordsTo(address: Address): string {
  return address.transport === "unix"
    ? `--unix ${address.path}`
    : `--tcp ${address.hostname}:${address.port}`;
}

/** Runs a line of the tool that the C project calls `name`. */
export async function shapeOf(
  program: Program,
  name: string,
  line: ToolLine,
  folder: TempDir,
  address?: Address,
): Promise<Shape> {
  const at = address === undefined ? "" : wordsTo(address);
  const text = line.words.replaceAll("{at}", at).replaceAll("{dir}", folder.path);
  // Two blanks are an empty word between them.
  const words = text === "" ? [] : text.split(" ");
  const before = filesIn(folder.path);
  const { code, stdout, stderr } = await run(program, words, {
    cwd: folder.path,
    ...line.stdin === undefined ? {} : { stdin: line.stdin },
    ...line.env === undefined ? {} : { env: line.env },
  });
  const called = program.args.length === 0 ? program.command : name;
  const port = address?.transport === "tcp" ? `'${address.port}'` : "'{port}'";
  const plain = (text: string) =>
    text.replaceAll(port, "'{port}'").replaceAll(folder.path, "{dir}").replaceAll(
      at === "" ? "{at}" : at,
      "{at}",
    )
      .replaceAll(called, name).trimEnd();
  return {
    code,
    stdout: pageOf(plain(stdout)),
    stderr: plain(stderr).replace(/ \(did you mean '.*'\?\)/, ""),
    files: changes(before, filesIn(folder.path)),
  };
}

/** Help and version are in words of our own. */
function pageOf(text: string): string {
  if (/^TPM emulator [\w ]+ version [\d.]+, Copyright \(c\) [^\n]*$/.test(text)) return "version";
  return /^TPM emulator .* version [\s\S]*\n[ \t]*-?-unix </i.test(text) ||
      /^TPM emulator .* version [\s\S]*\nUsage: /.test(text)
    ? "help"
    : text;
}

function filesIn(folder: string): ReadonlyMap<string, string> {
  return new Map([...Deno.readDirSync(folder)].map(({ name }) => {
    const { mode, size } = Deno.statSync(`${folder}/${name}`);
    return [name, `${((mode ?? 0) & 0o777).toString(8)} ${size}`];
  }));
}

function changes(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const written = [...after].filter(([name, text]) => before.get(name) !== text);
  const gone = [...before.keys()].filter((name) => !after.has(name));
  return [...written.map((parts) => parts.join(" ")), ...gone.map((name) => `${name} gone`)].sort();
}
