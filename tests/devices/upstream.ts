// Runs the C project's own test scripts for devices on the executable under test, in guests whose
// kernel has the modules, and closes with "N passed, N failed, N skipped". What is expected of each
// is in upstream_expected.ts; the scripts that need no device are run by tests/upstream/.

import { upstreamTree } from "../peers/peers.ts";
import { judge, stepsIn, type Verdict } from "../upstream/judge.ts";
import { prepareTree } from "../upstream/tree.ts";
import type { GuestFile } from "../vm/initramfs.ts";
import { inLanes } from "../vm/lanes.ts";
import { type DeviceImage, prepareDeviceImage } from "./image.ts";
import { DeviceMachine } from "./machine.ts";
import { Shell } from "./shell.ts";
import { DEVICE_SCRIPTS } from "./upstream_expected.ts";

const USAGE = `Usage: deno run -A tests/devices/upstream.ts [OPTION...] [--all | SCRIPT...]
Runs the C project's test scripts for devices: a short choice, all of them, or those named.

  --c-tools    they use the C project's swtpm_ioctl and swtpm_bios, not the executable's
  --tree DIR   a source tree of the C project to take the scripts from, such as its
               development tree (default: that of the C programs 0.10, which is fetched)`;

/** In a guest: the tools' place, with those of the C project. */
const TOOLS = "/usr/bin";

/** Bound of one script; the slowest takes two minutes under software emulation. */
const SCRIPT_LIMIT_MS = 600_000;
/** A guest keeps one core busy. */
const LANES = 2;
/** Lines of a failed script's output that are shown. */
const LOG_TAIL = 15;

/** Real programs in place of busybox's, whose output the scripts take apart. */
const programs = [
  ..."awk basename bc cat chmod chown cmp cp cut date dd df dirname env expr gawk grep head id kill"
    .split(" "),
  ..."ln ls lscpu lsof mkdir mknod mktemp mv od ps readlink rm sed seq sha1sum sleep socat sort stat"
    .split(" "),
  ..."su tail tee touch tr uname wc which".split(" "),
];

function programPath(name: string): string {
  for (const folder of ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]) {
    const path = `${folder}/${name}`;
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(`there is no program "${name}"`);
}

/** Stand-ins for programs, before all others on the scripts' PATH. */
function shims(): GuestFile[] {
  return ["sleep", "python"].map((name) => ({
    from: new URL(`guest/${name}.sh`, import.meta.url).pathname,
    to: `/shim/${name}`,
    executable: true,
  }));
}

/** The C project's scripts and their data. */
function* testFiles(folder: string, to: string): Iterable<GuestFile> {
  for (const { name, isDirectory, isFile } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* testFiles(`${folder}/${name}`, `${to}/${name}`);
    else if (isFile) yield { from: `${folder}/${name}`, to: `${to}/${name}`, executable: true };
  }
}

/** Scripts that need the devices and have no part for sockets. */
const DEVICES_ONLY = /^test_(tpm2_)?(vtpm_proxy|chroot_cuse|partial_reads)$/;
/** The line by which the others choose CUSE, and the one by which they run a part. */
const CHOOSES_CUSE = /^export SWTPM_(INTERFACE|IFACE)=cuse$/m;
const RUNS_PART = /^bash (_test_\w+)/gm;

/** The names of the scripts for devices in a tree. */
function deviceScripts(tests: string): Set<string> {
  const found = new Set<string>();
  for (const { name, isFile } of Deno.readDirSync(tests)) {
    if (!isFile || !name.startsWith("test_")) continue;
    if (DEVICES_ONLY.test(name)) found.add(name);
    const text = Deno.readTextFileSync(`${tests}/${name}`);
    if (!CHOOSES_CUSE.test(text)) continue;
    for (const [, part = ""] of text.matchAll(RUNS_PART)) found.add(part);
  }
  return found;
}

/** Throws where the table and the tree do not have the same scripts; an older one lacks later ones. */
function requireSame(tree: ReadonlySet<string>): void {
  const table = new Set(Object.keys(DEVICE_SCRIPTS));
  const unknown = [...tree.difference(table)];
  const missing = [...table.difference(tree)].filter((name) =>
    DEVICE_SCRIPTS[name]!.since === undefined
  );
  if (unknown.length > 0) throw new Error(`nothing is expected of ${unknown.join(", ")}`);
  if (missing.length > 0) throw new Error(`the C project has no ${missing.join(", ")}`);
}

/** What the command line asks for. */
interface Options {
  readonly ownTools: boolean;
  readonly tree: string | undefined;
  /** `--all`, or names of scripts. */
  readonly words: readonly string[];
}

function parseOptions(args: readonly string[]): Options {
  const words = [...args];
  let ownTools = true;
  let tree: string | undefined;
  while (words[0] === "--c-tools" || words[0] === "--tree") {
    if (words.shift() === "--c-tools") ownTools = false;
    else tree = words.shift() ?? fail(`--tree needs a folder\n${USAGE}`);
  }
  return { ownTools, tree, words };
}

function fail(message: string): never {
  throw new Error(message);
}

/** Which scripts to run. */
function chosen(words: readonly string[], tree: ReadonlySet<string>): string[] {
  const known = Object.keys(DEVICE_SCRIPTS).filter((name) => tree.has(name));
  if (words.length === 0) return known.filter((name) => DEVICE_SCRIPTS[name]!.short);
  if (words.length === 1 && words[0] === "--all") return known;
  for (const name of words) {
    if (!known.includes(name)) throw new Error(`there is no script "${name}"\n${USAGE}`);
  }
  return [...words];
}

async function prepareImage(source: string): Promise<DeviceImage> {
  const tree = await Deno.makeTempDir({ prefix: "swtpm-devices-tree-" });
  try {
    await prepareTree(source, tree, "c");
    return await prepareDeviceImage({
      name: "devices-upstream",
      programs: programs.map(programPath),
      peers: ["swtpm_bios"],
      files: [...shims(), ...testFiles(`${tree}/tests`, "/tree/tests")],
    });
  } finally {
    await Deno.remove(tree, { recursive: true });
  }
}

/** How a script ended in a guest. */
interface Ran {
  readonly verdict: Verdict;
  readonly timedOut: boolean;
  readonly seconds: number;
  readonly log: readonly string[];
}

async function runScript(machine: DeviceMachine, name: string): Promise<Ran> {
  const shell = new Shell(machine.guest);
  const start = performance.now();
  const words = ["SWTPM_INTERFACE=cuse", "SWTPM_IFACE=cuse", "SWTPM_IOCTL_BUFFERSIZE=100"];
  await machine.guest.run("part", name, ...words);
  let status = "";
  while (status === "" && performance.now() - start < SCRIPT_LIMIT_MS) {
    status = (await shell.ran("within 30 test -e /tmp/part.status && cat /tmp/part.status")).stdout;
  }
  const timedOut = status === "";
  const seconds = (performance.now() - start) / 1000;
  const log = (await shell.run("cat /tmp/part.out")).split("\n");
  const outcome = { code: Number(status), timedOut, parts: [], seconds, log: "" };
  return { verdict: judge(DEVICE_SCRIPTS[name]!, outcome, log), timedOut, seconds, log };
}

/** Runs scripts until there are none left, or one does not end: that guest is given up. */
async function runUntilStuck(
  image: DeviceImage,
  queue: string[],
  ownTools: boolean,
  tell: (name: string, ran: Ran) => void,
): Promise<void> {
  await using machine = await DeviceMachine.start(image, "upstream");
  await machine.guest.run("modules");
  if (ownTools) {
    await new Shell(machine.guest).run(`rm -f ${TOOLS}/swtpm_*; swtpm install-tools ${TOOLS}`);
  }
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const ran = await runScript(machine, name);
    tell(name, ran);
    if (ran.timedOut) return;
  }
  await machine.powerOff();
}

async function main(args: readonly string[]): Promise<number> {
  const { ownTools, tree, words } = parseOptions(args);
  const source = tree ?? (await upstreamTree()).dir;
  const there = deviceScripts(`${source}/tests`);
  requireSame(there);
  const names = chosen(words, there);
  const start = performance.now();
  const count = { PASS: 0, FAIL: 0, SKIP: 0 };
  const tell = (name: string, { verdict: { word, why }, seconds, log }: Ran) => {
    count[word]++;
    const took = `${seconds.toFixed(1).padStart(6)} s ${String(stepsIn(log)).padStart(3)} steps`;
    console.log(`${word} ${name.padEnd(42)} ${took}  ${why ?? ""}`.trimEnd());
    if (word === "FAIL") console.log(log.slice(-LOG_TAIL).map((line) => `    ${line}`).join("\n"));
  };
  const queue: string[] = [];
  for (const name of names) {
    const { expect } = DEVICE_SCRIPTS[name]!;
    if (expect === "pass" || words.includes(name)) queue.push(name);
    else {
      const verdict = { word: "SKIP", why: expect.skip } as const;
      tell(name, { verdict, timedOut: false, seconds: 0, log: [] });
    }
  }
  const image = await prepareImage(source);
  const lane = async () => {
    while (queue.length > 0) await runUntilStuck(image, queue, ownTools, tell);
  };
  await inLanes(LANES, Array.from({ length: Math.min(LANES, queue.length) }, () => lane));
  const others = there.size - names.length;
  if (others > 0) console.log(`${others} more with --all`);
  console.log(`${((performance.now() - start) / 1000).toFixed(0)} s`);
  console.log(`${count.PASS} passed, ${count.FAIL} failed, ${count.SKIP} skipped`);
  return count.FAIL === 0 ? 0 : 1;
}

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  Deno.exit(1);
}
