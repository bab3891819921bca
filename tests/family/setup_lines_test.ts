// Command lines of swtpm_setup beside the C programs 0.7.1 and 0.10: exit code, what is said on both
// streams, what has become of the folder.

import assert from "node:assert/strict";
import { newLibraries, peer } from "../peers/peers.ts";
import { isSince, PEER_NAMES, type PeerName } from "../peers/version.ts";
import { run } from "../support/process.ts";
import type { Program } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { linksIn, peerProgram } from "./links.ts";
import { SETUP_DIFFERENCES } from "./setup_differences.ts";
import { SetupTemplate, surroundings } from "./setup_folder.ts";
import {
  CONFIG_FILES,
  MADE,
  PROFILES,
  QUESTIONS,
  REFUSALS,
  type SetupLine,
  STATES,
} from "./setup_lines.ts";
import { type SetupShape, shapeOf } from "./setup_shape.ts";

const LINES_MIN = 200;
const SETUP_MS = 120_000;

const TABLES = { QUESTIONS, REFUSALS, STATES, MADE, CONFIG_FILES, PROFILES };

/** The C program's, with its companions alone in front of the PATH. */
async function theirs(name: PeerName, folder: TempDir): Promise<Program> {
  const { env, ...words } = await peer(name);
  const bin = folder.join("bin");
  Deno.mkdirSync(bin);
  for (
    const [program, command] of [["swtpm", words.swtpm], ["swtpm_cert", words.cert], [
      "swtpm_localca",
      words.localca,
    ]] as const
  ) {
    const quoted = command.map((word) => `'${word}'`).join(" ");
    Deno.writeTextFileSync(`${bin}/${program}`, `#!/bin/sh\nexec ${quoted} "$@"\n`, {
      mode: 0o755,
    });
  }
  const path = `${bin}:${Deno.env.get("PATH")}`;
  return { ...peerProgram("swtpm_setup", words.setup), env: { ...env, PATH: path } };
}

/** Ours over the libtpms that the C program has. */
async function ours(name: PeerName, link: Program): Promise<Program> {
  if (name !== "0.10") return link;
  const [command, ...args] = (await newLibraries()).prefix;
  return { ...link, command: command!, args: [...args, link.command] };
}

async function outcome(
  program: Program,
  { words, env }: SetupLine,
  template: SetupTemplate,
): Promise<SetupShape> {
  await using folder = await template.copy();
  const text = (text: string) => text.replaceAll("{dir}", folder.path);
  const args = words === "" ? [] : words.split(" ").map((word) => text(word).replaceAll("~", " "));
  const variables = Object.entries(env ?? {}).map(([name, value]) => [name, text(value)]);
  const ran = await run(program, args, {
    cwd: folder.path,
    env: { ...surroundings(folder.path), ...Object.fromEntries(variables) },
    timeoutMs: SETUP_MS,
  });
  return shapeOf(ran, folder.path, template.folder.path);
}

Deno.test(`the tables have at least ${LINES_MIN} lines`, () => {
  assert.ok(Object.values(TABLES).flat().length >= LINES_MIN);
});

/** The reasons of differences that were seen. */
const seen = new Set<string>();

for (const name of PEER_NAMES) {
  for (const [table, lines] of Object.entries(TABLES)) {
    if (table === "PROFILES" && name === "0.7.1") continue;
    Deno.test(`swtpm_setup and C ${name}, ${table}: ${lines.length} lines`, () =>
      compare(name, lines));
  }
}

async function compare(name: PeerName, lines: readonly SetupLine[]): Promise<void> {
  await using folder = new TempDir();
  const link = await linksIn(folder);
  await using template = await SetupTemplate.make(link);
  const { version } = await peer(name);
  const programs = [await theirs(name, folder), await ours(name, link("swtpm_setup"))] as const;
  const declared = SETUP_DIFFERENCES.filter(({ until }) => !until || !isSince(version, until));
  const undeclared: string[] = [];
  for (const line of lines) {
    const [c, own] = await Promise.all(
      programs.map((program) => outcome(program, line, template)),
    ) as [SetupShape, SetupShape];
    if (JSON.stringify(c) === JSON.stringify(own)) continue;
    const difference = declared.find(({ covers }) => covers(line.words, c, own));
    if (difference !== undefined) seen.add(difference.reason);
    else {
      undeclared.push(
        `${line.words}\n  C    ${JSON.stringify(c)}\n  ours ${JSON.stringify(own)}`,
      );
    }
  }
  if (undeclared.length > 0) assert.fail(undeclared.join("\n"));
}

Deno.test("every declared difference was seen", () => {
  const reasons = SETUP_DIFFERENCES.map(({ reason }) => reason);
  assert.deepEqual(reasons.filter((reason) => !seen.has(reason)), []);
});
