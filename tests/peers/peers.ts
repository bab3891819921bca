// Provides the C programs that ours is compared with: the older as this machine's Debian packages
// install it, and the newer as Debian's unstable suite has it, unpacked below .cache/ and run with
// its own libc; version.ts knows which versions will do. Also hands out that suite's libtpms for our own executable. Run as a program, it
// fetches what is missing and prints what there is.

import { join } from "node:path";
import { exists } from "../support/exists.ts";
import { DebianSuite, unpackDebs } from "../../scripts/debian/apt.ts";
import { mustRun, run } from "./command.ts";
import { isSince, PEER_NAMES, type PeerName, versionFor } from "./version.ts";

/** The programs of the C project that the tests use, by the names they are installed under. */
export const PROGRAMS = [
  "swtpm",
  "swtpm_ioctl",
  "swtpm_bios",
  "swtpm_setup",
  "swtpm_cert",
  "swtpm_localca",
] as const;
export type Program = typeof PROGRAMS[number];

/** One version of the C programs: for each the words its command line begins with. */
export interface Peer {
  readonly name: PeerName;
  /** What `swtpm --version` said. */
  readonly version: string;
  readonly swtpm: readonly string[];
  readonly ioctl: readonly string[];
  readonly bios: readonly string[];
  readonly setup: readonly string[];
  readonly cert: readonly string[];
  readonly localca: readonly string[];
  /** To be set for each of them (the wrappers in `.cache/peers/bin/` set it themselves). */
  readonly env: Readonly<Record<string, string>>;
}

/** libtpms 0.10 with the libc it was linked for, usable by programs of this machine. */
export interface NewLibraries {
  /** A folder with nothing but libtpms, libcrypto, libc and what they need. */
  readonly dir: string;
  readonly libtpms: string;
  readonly libcrypto: string;
  /**
   * The words to put before a command line, so that the program sees this folder laid over the
   * machine's library folder, in a mount namespace of its own. Needs root; keeps the process id.
   */
  readonly prefix: readonly string[];
}

const CACHE = join(import.meta.dirname!, "../../.cache/peers");
/** Debian's name of the folder for this machine's kind of libraries. */
const LIBRARY_FOLDER = `usr/lib/${Deno.build.arch}-linux-gnu`;
const LOADER = Deno.build.arch === "x86_64" ? "ld-linux-x86-64.so.2" : "ld-linux-aarch64.so.1";
/** What is taken from the unstable suite, with all that it depends on. */
const PACKAGES = ["swtpm", "swtpm-tools", "openssl", "openssl-provider-fips", "socat"];
/** The packages whose libraries `NewLibraries.dir` consists of. */
const LIBRARY_PACKAGES =
  /^(libc6|libgcc-s1|libtpms0|libssl3(t64)?|openssl-provider-(legacy|fips)|zlib1g|libzstd1|libatomic1)_/;

/** Gives the C programs of one version, fetching them when they are not there yet. */
export async function peer(name: PeerName): Promise<Peer> {
  const peer = name === "0.7.1" ? await installed() : await unstable();
  await writeWrappers(peer);
  return peer;
}

/** The folder the 0.10 programs are unpacked in: it looks like a root folder. */
export async function unstableRoot(): Promise<string> {
  return join(await unpackedUnstable(), "root");
}

/** Gives libtpms 0.10 for programs of this machine. */
export async function newLibraries(): Promise<NewLibraries> {
  const dir = join(await unpackedUnstable(), "libraries");
  const libraries = {
    dir,
    libtpms: join(dir, "libtpms.so.0"),
    libcrypto: join(dir, "libcrypto.so.3"),
  };
  for (const path of [libraries.libtpms, libraries.libcrypto]) await Deno.stat(path);
  return {
    ...libraries,
    prefix: ["unshare", "--mount", "sh", "-c", overlayScript(dir), "with-libtpms-0.10"],
  };
}

/**
 * Gives the unpacked source tree of the C project that belongs to the 0.10 programs. It is taken
 * from the same suite, so both move together.
 */
export async function upstreamTree(): Promise<{ readonly dir: string; readonly version: string }> {
  const home = join(CACHE, "../upstream");
  const dir = join(home, "tree");
  await locked(async () => {
    if (exists(dir)) return;
    const partial = join(home, "tree.partial");
    await removeAll(partial);
    await Deno.mkdir(partial, { recursive: true });
    const tarball = await new DebianSuite(join(CACHE, "apt")).upstreamTarball("swtpm");
    await mustRun(["tar", "-x", "--strip-components=1", "-f", tarball, "-C", partial], {
      timeoutMs: 60_000,
    });
    await Deno.rename(partial, dir);
  });
  const version = await treeVersion(dir);
  if (versionFor("0.10", version) === undefined) {
    throw new Error(
      `The C project's tree in "${dir}" has version "${version}", the tests expect 0.10 or 0.11`,
    );
  }
  return { dir, version };
}

/** The version that a source tree of the C project says it has. */
export async function treeVersion(dir: string): Promise<string> {
  const text = await Deno.readTextFile(join(dir, "configure.ac"));
  const version = /^AC_INIT\(\[swtpm\],\s*\[([^\]]+)\]/m.exec(text)?.[1];
  if (version === undefined) throw new Error(`"${dir}" is no source tree of the C project`);
  return version;
}

/**
 * The text of a shell script that runs a 0.10 program. `root` is the folder it is unpacked in,
 * under the name by which the script will see it. The script keeps its process id.
 */
export function wrapperScript(
  root: string,
  program: Program | "socat" | "openssl",
  env: Readonly<Record<string, string>> = unstableEnv(root),
): string {
  const words = unstableWords(root, program).map(shellWord).join(" ");
  return [
    "#!/bin/sh",
    ...Object.entries(env).map(([name, value]) => `export ${name}=${shellWord(value)}`),
    `exec ${words} "$@"`,
    "",
  ].join("\n");
}

/** The words that start each program; `at` gives them by its name. */
function programsAt(at: (program: Program) => string[]) {
  return {
    swtpm: at("swtpm"),
    ioctl: at("swtpm_ioctl"),
    bios: at("swtpm_bios"),
    setup: at("swtpm_setup"),
    cert: at("swtpm_cert"),
    localca: at("swtpm_localca"),
  };
}

async function installed(): Promise<Peer> {
  const at = (program: Program) => [`/usr/bin/${program}`];
  return await verified("0.7.1", {
    ...programsAt(at),
    env: {},
  }, "install the Debian packages swtpm and swtpm-tools of the 12th release");
}

async function unstable(): Promise<Peer> {
  const root = await unstableRoot();
  const at = (program: Program) => unstableWords(root, program);
  return await verified("0.10", {
    ...programsAt(at),
    env: unstableEnv(root),
  }, `remove "${CACHE}" to fetch them again`);
}

/** The programs run with their own libc, because this machine's is older than they need. */
function unstableWords(root: string, program: string): string[] {
  const libraries = join(root, LIBRARY_FOLDER);
  return [
    join(libraries, LOADER),
    "--argv0",
    program,
    "--library-path",
    `${join(libraries, "swtpm")}:${libraries}`,
    join(root, "usr/bin", program),
  ];
}

/** The words that a command line with the suite's `openssl` begins with, and its modules. */
export async function unstableOpenssl(): Promise<{ words: string[]; modules: string }> {
  const root = await unstableRoot();
  return { words: unstableWords(root, "openssl"), modules: unstableEnv(root).OPENSSL_MODULES };
}

/** libcrypto looks for its modules at a fixed place, where this machine has older ones. */
function unstableEnv(root: string): { OPENSSL_MODULES: string } {
  return { OPENSSL_MODULES: join(root, LIBRARY_FOLDER, "ossl-modules") };
}

/** Asks each program that can tell its version, and refuses one that is not what was asked for. */
async function verified(
  name: PeerName,
  words: Omit<Peer, "name" | "version">,
  hint: string,
): Promise<Peer> {
  const asks: (readonly [readonly string[], string])[] = [
    [words.swtpm, "--version"],
    [words.ioctl, "--version"],
    [words.bios, "--version"],
    [words.setup, "--version"],
    [words.cert, "--version"],
    [words.localca, "--help"],
  ];
  const said: string[] = [];
  for (const [program, option] of asks) {
    const argv = [...program, option];
    let text: string;
    try {
      const finished = await run(argv, { timeoutMs: 15_000, env: { ...words.env } });
      text = `${finished.stdout}${finished.stderr}`;
    } catch (error) {
      throw new Error(`swtpm ${name}: could not run "${argv.join(" ")}"; ${hint}`, {
        cause: error,
      });
    }
    const versionShown = /\d+\.\d+\.\d+/.test(text.split("\n").slice(0, 2).join("\n"));
    if (text === "" || (versionShown && versionFor(name, text) === undefined)) {
      throw new Error(`swtpm ${name}: "${argv.join(" ")}" said "${text.trim()}"; ${hint}`);
    }
    said.push(text);
  }
  const version = versionFor(name, said[0]!);
  if (version === undefined) {
    throw new Error(`swtpm ${name}: "swtpm --version" said "${said[0]!.trim()}"; ${hint}`);
  }
  return { name, version, ...words };
}

/** Fetches and unpacks the unstable suite's packages unless that is done; returns the folder. */
async function unpackedUnstable(): Promise<string> {
  const done = join(CACHE, "unstable");
  // Says what is in the folder: another list needs another one.
  const list = "packages";
  const wanted = `${PACKAGES.join("\n")}\n`;
  await locked(async () => {
    if (await Deno.readTextFile(join(done, list)).catch(() => "") === wanted) return;
    const debs = await new DebianSuite(join(CACHE, "apt")).packages(PACKAGES);
    // The folder gets its name only when everything is in it.
    const partial = `${done}.partial`;
    await removeAll(partial);
    for (const folder of ["root", "libraries.root"]) {
      await Deno.mkdir(join(partial, folder), { recursive: true });
    }
    await unpackDebs(debs, join(partial, "root"));
    const basic = debs.filter((deb) => LIBRARY_PACKAGES.test(deb.split("/").at(-1)!));
    await unpackDebs(basic, join(partial, "libraries.root"));
    await Deno.rename(join(partial, "libraries.root", LIBRARY_FOLDER), join(partial, "libraries"));
    await removeAll(join(partial, "libraries.root"));
    await Deno.writeTextFile(join(partial, list), wanted);
    await removeAll(done);
    await Deno.rename(partial, done);
  });
  return done;
}

/** Lays `dir` over the machine's library folder at one stroke, then becomes the program. */
function overlayScript(dir: string): string {
  if (/[:,\\]/.test(dir)) {
    throw new Error(`"${dir}" cannot be an overlay's layer: the path has one of : , \\ in it`);
  }
  const target = `/${LIBRARY_FOLDER}`;
  return `mount -t overlay overlay -o ${shellWord(`lowerdir=${dir}:${target}`)} ${target} ` +
    `&& exec "$@"`;
}

/** Writes `.cache/peers/bin/PROGRAM-VERSION`, for scripts that want one path per program. */
async function writeWrappers(peer: Peer): Promise<void> {
  const bin = join(CACHE, "bin");
  await Deno.mkdir(bin, { recursive: true });
  for (const program of PROGRAMS) {
    const text = peer.name === "0.10"
      ? wrapperScript(await unstableRoot(), program)
      : `#!/bin/sh\nexec /usr/bin/${program} "$@"\n`;
    const path = join(bin, `${program}-${peer.name}`);
    if (await Deno.readTextFile(path).catch(() => "") === text) continue;
    // Under another name first: a test may be running the wrapper right now.
    const partial = `${path}.${crypto.randomUUID()}`;
    await Deno.writeTextFile(partial, text, { mode: 0o755 });
    await Deno.chmod(partial, 0o755);
    await Deno.rename(partial, path);
  }
}

/** Runs `work` while no other process does the same below `.cache/`. */
async function locked(work: () => Promise<void>): Promise<void> {
  await Deno.mkdir(CACHE, { recursive: true });
  using file = await Deno.open(join(CACHE, "lock"), { write: true, create: true });
  await file.lock(true);
  await work();
}

async function removeAll(path: string): Promise<void> {
  if (exists(path)) await Deno.remove(path, { recursive: true });
}

/** Quotes one word for sh. */
function shellWord(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

if (import.meta.main) {
  const names = Deno.args.length > 0 ? Deno.args : PEER_NAMES;
  let failed = false;
  for (const name of names) {
    try {
      const known = PEER_NAMES.find((one) => one === name);
      if (known === undefined) {
        throw new Error(`"${name}" is not one of ${PEER_NAMES.join(", ")}`);
      }
      const found = await peer(known);
      console.log(`swtpm ${found.version}: ${join(CACHE, "bin")}/*-${found.name}`);
      if (isSince(found.version, "0.8")) {
        console.log(`libtpms of that suite: ${(await newLibraries()).libtpms}`);
      }
    } catch (error) {
      failed = true;
      console.error(error instanceof Error ? error.message : String(error));
    }
  }
  Deno.exit(failed ? 1 : 0);
}
