// Debian's newest libraries for the executable to carry: packages pinned by version and SHA-256, from
// whichever mirror the machine has, kept below .cache/. update.ts proposes newer ones.

import { createHash } from "node:crypto";
import { ROOT } from "../checkout.ts";
import { lastLines, runCommand } from "../command.ts";
import { type Offer, unpackDebs } from "../debian/apt.ts";
import { debianArchives } from "../debian/sources.ts";
import type { Arch } from "../denort.ts";
import type { Carried } from "../embed.ts";
import { digestOfFile, isThere } from "../files.ts";
import pinned from "./debian.json" with { type: "json" };
import { carriedFrom, type Piece, piecesOf } from "./pieces.ts";

export type PinnedPackages = Readonly<Record<Arch, readonly Offer[]>>;

export const PINNED: PinnedPackages = pinned;
export const PINNED_FILE = new URL("debian.json", import.meta.url);

const FOLDERS: Readonly<Record<Arch, string>> = {
  x64: "usr/lib/x86_64-linux-gnu",
  arm64: "usr/lib/aarch64-linux-gnu",
};
/** Knows the machine's proxies and keys, as apt does. */
const HELPER = "/usr/lib/apt/apt-helper";
/** The largest package has 3 MB. */
const DOWNLOAD_LIMIT_MS = 120_000;

/** Gives the pinned libraries for `arch`. Throws where a package cannot be had. */
export async function debianLibraries(arch: Arch): Promise<Carried[]> {
  const root = await unpacked(arch);
  return piecesOf(arch).map((piece) => carry(piece, arch, root));
}

function carry(piece: Piece, arch: Arch, root: string): Carried {
  const from = PINNED[arch].find((offer) => piece.package.test(offer.package));
  if (from === undefined) throw new Error(`no package of ${piece.name} is pinned`);
  const bytes = Deno.readFileSync(`${root}/${FOLDERS[arch]}/${piece.soname}`);
  return carriedFrom(piece, { name: from.package, version: from.version, root }, bytes);
}

/** The packages laid over each other, as long as the table is the same. */
async function unpacked(arch: Arch): Promise<string> {
  const table = createHash("sha256").update(JSON.stringify(PINNED[arch])).digest("hex");
  const cache = `${ROOT}/.cache/inside`;
  const root = `${cache}/${arch}-${table.slice(0, 16)}`;
  if (isThere(root)) return root;
  const unfinished = `${root}.${Deno.pid}`;
  Deno.mkdirSync(unfinished, { recursive: true });
  try {
    const debs: string[] = [];
    for (const offer of PINNED[arch]) debs.push(await download(offer, cache));
    await unpackDebs(debs, unfinished);
    // Another build may have been faster.
    if (!isThere(root)) Deno.renameSync(unfinished, root);
  } finally {
    if (isThere(unfinished)) Deno.removeSync(unfinished, { recursive: true });
  }
  return root;
}

async function download({ path, sha256 }: Offer, folder: string): Promise<string> {
  const file = `${folder}/${path.split("/").at(-1)!.replaceAll("%3a", "_")}`;
  if (digestOfFile(file) === sha256) return file;
  const failures: string[] = [];
  for (const archive of await debianArchives()) {
    const mirror = (archive["uris"] ?? "").split(/\s+/)[0]!.replace(/\/$/, "");
    const unfinished = `${file}.${Deno.pid}`;
    const words = ["download-file", `${mirror}/${path}`, unfinished, `SHA256:${sha256}`];
    const { success, output } = await runCommand(HELPER, words, {
      timeLimitMs: DOWNLOAD_LIMIT_MS,
    });
    if (success && digestOfFile(unfinished) === sha256) {
      Deno.renameSync(unfinished, file);
      return file;
    }
    if (isThere(unfinished)) Deno.removeSync(unfinished);
    failures.push(`${mirror}: ${lastLines(output, 1).trim()}`);
  }
  throw new Error(`"${path}" cannot be had: ${failures.join("; ")}`);
}
