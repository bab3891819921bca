// Makes a release in dist/release/: both executables, plain and compressed, Debian packages, pages and
// completions, the list of parts, the licences, notes, and SHA256SUMS over all of it. The same checkout
// gives the same bytes. dist/image/ has the executables as an image takes them.
//
// Usage: deno task release [--tag vVERSION] [--x64 FILE] [--arm64 FILE] [--to FOLDER]
//
// With --tag it has to be the release that deno.json and CHANGELOG.md speak of. FILE is an executable
// that was built elsewhere; without it, it is built here.

import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build, describe } from "./build.ts";
import { requirePinnedDeno, ROOT } from "./checkout.ts";
import { type Arch, TARGETS } from "./denort.ts";
import { lastChange } from "./last_change.ts";
import { debianPackage } from "./release/debian.ts";
import { mustRun } from "./release/files.ts";
import { licenceFile } from "./release/licences.ts";
import { checkTag, notesOf } from "./release/notes.ts";
import { npmCacheFolder } from "./release/npm_cache.ts";
import { archivePages } from "./release/pages.ts";
import {
  DEBIAN_ARCH,
  librariesIn,
  packages,
  type Part,
  runtime,
  sha256,
  VERSION,
} from "./release/parts.ts";
import { type Executable, sbom } from "./release/sbom.ts";

const ARCHES = Object.keys(TARGETS) as Arch[];
/** Measured 15 s on one busy processor. */
const COMPRESS_LIMIT_MS = 600_000;

const SUMS = "SHA256SUMS";

/** What is asked for. */
interface Options {
  readonly tag?: string;
  readonly given: Partial<Record<Arch, string>>;
  readonly to: string;
}

/** Makes the release; returns the names of its files. */
export async function release({ tag, given, to }: Options): Promise<readonly string[]> {
  if (tag !== undefined) checkTag(tag, VERSION);
  const changelog = Deno.readTextFileSync(`${ROOT}/CHANGELOG.md`);
  const notes = notesOf(changelog, VERSION, tag !== undefined);
  const time = await lastChange();
  const paths = await executables(given);
  emptied(to);
  emptied(`${ROOT}/dist/image`);

  const listed: Executable[] = [];
  const inside: Record<Arch, Part[]> = { x64: [], arm64: [] };
  for (const arch of ARCHES) {
    const bytes = Deno.readFileSync(paths[arch]);
    const name = `swtpm-linux-${arch}`;
    Deno.writeFileSync(`${to}/${name}`, bytes, { mode: 0o755 });
    Deno.writeFileSync(`${to}/${name}.gz`, gzipSync(bytes));
    const zstd = ["-q", "-9", "-T1", "-o", `${to}/${name}.zst`, `${to}/${name}`];
    await mustRun("zstd", zstd, COMPRESS_LIMIT_MS);
    const image = `${ROOT}/dist/image/${DEBIAN_ARCH[arch]}`;
    Deno.mkdirSync(image);
    Deno.writeFileSync(`${image}/swtpm`, bytes, { mode: 0o755 });
    listed.push({ arch, name, sha256: sha256(bytes) });
    inside[arch] = [...runtime(arch), ...librariesIn(bytes, arch)];
  }
  const parts = [...inside.x64, ...inside.arm64, ...packages(await npmCacheFolder())];
  const licences = licenceFile(Deno.readTextFileSync(`${ROOT}/LICENSE`), parts);
  for (const arch of ARCHES) {
    const hasLibtpms = inside[arch].some(({ name }) => name === "libtpms");
    await debianPackage({ arch, executable: paths[arch], hasLibtpms, licences, time, to });
  }
  await archivePages(`${to}/swtpm-pages.tar.gz`, `swtpm-${VERSION}`, time);
  Deno.writeTextFileSync(`${to}/LICENSES.txt`, licences);
  Deno.writeTextFileSync(`${to}/NOTES.md`, notes);
  Deno.writeTextFileSync(`${to}/swtpm.cdx.json`, sbom(listed, parts, time));
  Deno.writeTextFileSync(`${to}/${SUMS}`, sumsOf(to));
  return [...Deno.readDirSync(to)].map(({ name }) => name).sort();
}

async function executables(given: Options["given"]): Promise<Record<Arch, string>> {
  const paths: Record<Arch, string> = { x64: "", arm64: "" };
  for (const arch of ARCHES) {
    const start = performance.now();
    const path = given[arch];
    if (path === undefined) {
      const built = await build({ arch });
      console.log(describe(built, (performance.now() - start) / 1000));
      paths[arch] = built.path;
    } else {
      checkProcessor(path, arch);
      paths[arch] = path;
    }
  }
  return paths;
}

/** Refuses a file that is no executable for the processor (ELF gABI: e_machine). */
function checkProcessor(path: string, arch: Arch): void {
  using file = Deno.openSync(path);
  const head = new Uint8Array(20);
  file.readSync(head);
  const machine = new DataView(head.buffer).getUint16(18, true);
  if (
    new TextDecoder("latin1").decode(head.subarray(0, 4)) !== "\x7fELF" ||
    machine !== TARGETS[arch].machine
  ) {
    throw new Error(`"${path}" is no executable for ${arch}`);
  }
}

function emptied(folder: string): void {
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  Deno.mkdirSync(folder, { recursive: true });
}

/** As `sha256sum *` prints them. */
function sumsOf(folder: string): string {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort()
    .map((name) => `${sha256(Deno.readFileSync(`${folder}/${name}`))}  ${name}\n`).join("");
}

if (import.meta.main) {
  requirePinnedDeno(import.meta.url);
  try {
    const { values: { tag, x64, arm64, to } } = parseArgs({
      args: Deno.args,
      options: {
        tag: { type: "string" },
        x64: { type: "string" },
        arm64: { type: "string" },
        to: { type: "string" },
      },
    });
    const folder = to ?? `${ROOT}/dist/release`;
    const files = await release({
      ...(tag === undefined ? {} : { tag }),
      given: { ...(x64 === undefined ? {} : { x64 }), ...(arm64 === undefined ? {} : { arm64 }) },
      to: folder,
    });
    console.log(`${folder}: ${files.join(", ")}`);
  } catch (error) {
    console.error(`release: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
