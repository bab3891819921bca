// Captures the test suites of real clients, tpm2-tools' and IBM's TSS', and says whether each message
// is understood, and which of libtpms' commands were among them. Their sources come from Debian's
// source packages of the release whose programs are installed.

import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Client } from "../../tcg/tpm2/client/client.ts";
import { commandByCode } from "../../tcg/tpm2/commands.ts";
import { TPM2_GetCapability } from "../../tcg/tpm2/commands/capabilities.ts";
import { TPM_CAP } from "../../tcg/tpm2/constants.ts";
import { DebianSuite } from "../../scripts/debian/apt.ts";
import { mustRun } from "../peers/command.ts";
import { Emulator } from "../support/emulator.ts";
import { programUnderTest } from "../support/programs.ts";
import { inLanes } from "../vm/lanes.ts";
import { checkCapture, Tally } from "./check.ts";
import { ibmParts, type Part, tpm2ToolsParts } from "./suites.ts";

const USAGE = `Usage: deno run -A tests/captures/run.ts [OPTION...] [PART...]
Captures what the suites' scripts (all of them, or those named) say to a TPM, and
looks whether every message is understood. Needs the Debian packages tpm2-abrmd,
libtss2-tcti-tabrmd0 and dbus-daemon.

  --tpm2-tools DIR  a source tree of tpm2-tools 5.4 (default: fetched)
  --ibm DIR         a source tree of IBM's TSS 1045 (default: fetched)
  --into DIR        keep the captures there
  --minutes N       begin no more scripts after that time
  --jobs N          how many scripts run at the same time (default: 2)
`;

/** Whose programs are installed, and which tests belong to them. */
const RELEASE = "bookworm";
const HOME = join(import.meta.dirname!, "../../.cache/captures");
const FAULTS_SHOWN = 20;

/** The unpacked sources of a package. */
async function sourceTree(name: string, given: string | undefined): Promise<string> {
  if (given !== undefined) return resolve(given);
  const tree = join(HOME, name);
  if (await Deno.stat(tree).then(() => true, () => false)) return tree;
  const tarball = await new DebianSuite(join(HOME, "apt"), RELEASE).upstreamTarball(name);
  const partial = `${tree}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(() => {});
  await Deno.mkdir(partial, { recursive: true });
  const words = ["tar", "-x", "--strip-components=1", "-f", tarball, "-C", partial];
  await mustRun(words, { timeoutMs: 60_000 });
  await Deno.rename(partial, tree);
  return tree;
}

/** A program that is ours, with a capture for each TPM. */
async function capturingProgram(folder: string): Promise<void> {
  const { command } = programUnderTest();
  const script = `#!/bin/sh
[ "$1" = stop ] && exec '${command}' "$@"
exec '${command}' "$@" --pcap "file=$CAPTURE.$$"
`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "swtpm"), script, { mode: 0o755 });
}

async function capture(part: Part, bin: string, into: string): Promise<void> {
  const scratch = await Deno.makeTempDir({ prefix: "swtpm-captures-" });
  const begin = performance.now();
  try {
    const env = { CAPTURE: join(into, part.name) };
    const { code } = await part.run({ bin, scratch, env });
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    console.log(`${part.name.padEnd(32)} ended with ${code} after ${seconds} s`);
  } catch (error) {
    console.log(`${part.name.padEnd(32)} ${error instanceof Error ? error.message : error}`);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** The commands that this libtpms has, by their names. */
async function commandsOfLibtpms(): Promise<string[]> {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  using data = await emulator.connectData();
  const client = new Client((command) => data.command(command));
  const { capabilityData } = await client.run(TPM2_GetCapability, {
    capability: TPM_CAP.COMMANDS,
    property: 0,
    propertyCount: 256,
  });
  const INDEX = 0x0000ffff;
  return (capabilityData.data.command ?? []).map((attributes) =>
    commandByCode(attributes & INDEX)?.name ?? `0x${(attributes & INDEX).toString(16)}`
  );
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...Deno.args],
    allowPositionals: true,
    options: {
      "tpm2-tools": { type: "string" },
      "ibm": { type: "string" },
      "into": { type: "string" },
      "minutes": { type: "string" },
      "jobs": { type: "string" },
      "help": { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const parts = [
    ...ibmParts(await sourceTree("tss2", values.ibm)),
    ...tpm2ToolsParts(await sourceTree("tpm2-tools", values["tpm2-tools"])),
  ].filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const into = values.into === undefined
    ? await Deno.makeTempDir({ prefix: "swtpm-captures-" })
    : resolve(values.into);
  await Deno.mkdir(into, { recursive: true });
  const bin = join(into, "bin");
  await capturingProgram(bin);
  const end = performance.now() + Number(values.minutes ?? Infinity) * 60_000;
  await inLanes(
    Number(values.jobs ?? 2),
    parts.map((part) => async () => {
      if (performance.now() < end) await capture(part, bin, into);
      else console.log(`${part.name.padEnd(32)} was not begun: the time is over`);
    }),
  );
  const tally = new Tally();
  for (const { name, isFile } of [...Deno.readDirSync(into)]) {
    if (isFile) await checkCapture(join(into, name), tally);
  }
  if (values.into === undefined) await Deno.remove(into, { recursive: true });
  for (const fault of tally.faults.slice(0, FAULTS_SHOWN)) console.log(basename(fault));
  const all = await commandsOfLibtpms();
  const unseen = all.filter((name) => !tally.commands.has(name));
  console.log(tally.text);
  console.log(
    `${all.length - unseen.length} of libtpms' ${all.length} commands; not: ${unseen.join(", ")}`,
  );
  return tally.messages > 0 && tally.faults.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
