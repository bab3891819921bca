// Prepares the C project's source tree so that its test scripts run without a build: the emulator is
// whatever is under test, the tools are those of the executable or the C programs of the same version.
// How a script is run in that tree is in chamber.ts.

import { join } from "node:path";
import { type Program, PROGRAMS, wrapperScript } from "../peers/peers.ts";
import { mustRun } from "../peers/command.ts";
import { newerOpenssl } from "./openssl.ts";

/** Where things are once a script runs: its own /tmp (see enter.sh). */
const SEEN_PEERS = "/tmp/peers";
const SEEN_TREE = "/tmp/tree";
const SEEN_TOOLS = `${SEEN_TREE}/tools`;
const SEEN_EXE = "/tmp/exe/swtpm";

/** Whose tools the scripts use beside the emulator; `ours` are links to it. */
export type Tools = "ours" | "c";

/**
 * Copies `source` to `dir` and puts in place what a build would have made; what scripts after 0.10 need
 * beyond that is `fetched` to that folder.
 */
export async function prepareTree(
  source: string,
  dir: string,
  tools: Tools,
  fetched?: string,
): Promise<void> {
  await mustRun(["cp", "-a", `${source}/.`, dir], { timeoutMs: 60_000 });
  await Deno.mkdir(join(dir, "tools"));
  for (const program of PROGRAMS) {
    const tool = join(dir, "tools", program);
    if (tools === "ours") await Deno.symlink(SEEN_EXE, tool);
    else await writeExecutable(tool, wrapperScript(SEEN_PEERS, program));
    const built = join(dir, "src", program);
    await Deno.mkdir(built, { recursive: true });
    await Deno.symlink(linkTarget(program), join(built, program));
  }
  await Deno.writeTextFile(
    join(dir, "samples/swtpm_setup.conf"),
    (await Deno.readTextFile(join(dir, "samples/swtpm_setup.conf.in")))
      .replaceAll("@BINDIR@", SEEN_TOOLS)
      .replaceAll("@SYSCONFDIR@", "/etc")
      .replaceAll("@DEFAULT_PCR_BANKS@", "sha256"),
  );
  for (const script of CAPABILITY_SCRIPTS) await admitVerbs(join(dir, "tests", script));
  await Deno.mkdir(join(dir, "shim"));
  // What READY=1 is sent to: a script leaves that out where socat does not tell what it can do.
  await writeExecutable(join(dir, "shim/socat"), wrapperScript(SEEN_PEERS, "socat"));
  if (fetched !== undefined) {
    const openssl = await newerOpenssl(dir, SEEN_TREE, SEEN_PEERS, fetched);
    await writeExecutable(join(dir, "shim/openssl"), openssl);
  }
  await writeExecutable(
    join(dir, "shim/bash"),
    await Deno.readTextFile(join(import.meta.dirname!, "part.sh")),
  );
}

/** The scripts that hold a program's capabilities against all that their version knew. */
const CAPABILITY_SCRIPTS = ["_test_print_capabilities", "_test_tpm2_print_capabilities"];
/** The last verb of 0.10 of each program, and those that 0.11 says behind it. */
const NEW_VERBS: Readonly<Record<string, readonly string[]>> = {
  "tpmstate-opt-lock": [
    "tpmstate-dir-backend-opt-backup",
    "tpmstate-dir-backend-opt-fsync",
    "cmdarg-pcap",
    "systemd-notify",
  ],
  "cmdarg-profile-remove-disabled": [
    "cmdarg-ek1keyalgo",
    "cmdarg-ek2keyalgo",
    "cmdarg-iakkeyalgo",
    "cmdarg-idevidkeyalgo",
  ],
  "cmdarg-parentkey-pwd": [
    "cmdarg-tpm-serial-num",
    "supports-iak-idevid",
    "cmdarg-public",
    "cmdarg-keyalgo",
  ],
};

/** What 0.10 says behind another verb and 0.11, without that option, no more. */
const OLD_VERB = { after: "cmdarg-signkey-pwd", verb: "cmdarg-parentkey-pwd" };

/**
 * Has a script's regular expressions admit the verbs of 0.10 and of 0.11; of those that 0.11 says of a
 * program all of them, or none.
 */
async function admitVerbs(script: string): Promise<void> {
  let text = await Deno.readTextFile(script);
  const { after, verb } = OLD_VERB;
  if (!text.includes(`"${verb}"`)) text = text.replaceAll(`"${after}"`, `"${after}"(, "${verb}")?`);
  for (const [last, verbs] of Object.entries(NEW_VERBS)) {
    if (verbs.every((verb) => text.includes(`"${verb}"`))) continue;
    const more = verbs.map((verb) => `, "${verb}"`).join("");
    const changed = text.replaceAll(`"${last}"`, `"${last}"(${more})?`);
    if (changed === text) throw new Error(`"${script}" does not name "${last}"`);
    text = changed;
  }
  await Deno.writeTextFile(script, text);
}

/** The names of the test scripts in a tree; the other `test_*` files are their helpers. */
export async function scriptsOf(tree: string): Promise<string[]> {
  const helpers = /^test_(common|cuse|config\.in|clientfds\.py|setdatafd\.py)$/;
  const names: string[] = [];
  for await (const entry of Deno.readDir(join(tree, "tests"))) {
    if (entry.isFile && entry.name.startsWith("test_") && !helpers.test(entry.name)) {
      names.push(entry.name);
    }
  }
  return names.sort();
}

function linkTarget(program: Program): string {
  return program === "swtpm" ? SEEN_EXE : join(SEEN_TOOLS, program);
}

async function writeExecutable(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, text);
  await Deno.chmod(path, 0o755);
}
