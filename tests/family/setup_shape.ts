// What a command line of swtpm_setup has come to, without what is different each time.

import type { Outcome } from "../support/process.ts";

export interface SetupShape {
  readonly code: number;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  /** Paths with modes of what is new, and those of what has changed or gone. */
  readonly files: readonly string[];
}

/** `before` is the folder that `folder` was a copy of. */
export function shapeOf(
  { code, stdout, stderr }: Outcome,
  folder: string,
  before: string,
): SetupShape {
  return {
    code,
    stdout: plain(stdout, folder),
    stderr: plain(stderr, folder),
    files: changes(new Map(filesIn(before)), new Map(filesIn(folder))),
  };
}

function plain(text: string, folder: string): string[] {
  const shown = text
    .replaceAll(folder, "{dir}")
    .replace(/ \(did you mean '[^']*'\?\)/g, "")
    .replace(/^TPM is listening on Unix socket\.\n/gm, "")
    // The emulator's own words.
    .replace(/^swtpm: Formatting .*\n/gm, "")
    // A remark of glib's that the C program takes for a failure of its own.
    .replace(/^Error getting next filename: .*\n/gm, "")
    .replace(/(deprecated and has no effect\.)\n?/g, "$1\n")
    .replace(/^\S*swtpm_setup(-0\.10)?: /gm, "swtpm_setup: ")
    .replace(/ @ .*/g, " @ TIME")
    .replace(/^TPM emulator setup tool version .*/gm, "VERSION")
    // Ours starts no other program for certificates.
    .replace(/^ {2}Invoking .*\n/gm, "")
    .replace(/^(VERSION\n+)?Usage: [^]*/m, "USAGE\n")
    .replace(/"version": "[^"]*"/, '"version": "X"');
  return shown.trimEnd().split("\n").filter((line) => line !== "");
}

function* filesIn(folder: string, below = ""): Iterable<[string, string]> {
  for (const { name, isDirectory } of Deno.readDirSync(`${folder}/${below}`)) {
    const path = `${below}${name}`;
    const { mode, size, mtime } = Deno.lstatSync(`${folder}/${path}`);
    const shown = ((mode ?? 0) & 0o7777).toString(8);
    if (isDirectory) {
      yield [`${path}/`, shown];
      yield* filesIn(folder, `${path}/`);
    } else if (name !== ".lock") yield [path, `${shown} ${size} ${mtime?.getTime()}`];
  }
}

function changes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) {
  const mode = (text: string) => text.split(" ")[0]!;
  const shown: string[] = [];
  for (const [path, text] of after) {
    const was = before.get(path);
    if (was === undefined) shown.push(`${path} ${mode(text)}`);
    else if (isState(path) && was !== text) shown.push(`${path} ${mode(text)} changed`);
  }
  for (const path of before.keys()) if (!after.has(path)) shown.push(`${path} gone`);
  return shown.sort();
}

/** Others are written anew with each copy. */
const isState = (path: string) => /(permall|\.lock|linear|log)$/.test(path);
