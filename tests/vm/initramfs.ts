// The guest's whole file system: programs of this machine with the libraries they load, and files
// of ours, packed with cpio below .cache/vm/ under the hash of their content.

import { createHash } from "node:crypto";
import { run } from "./command.ts";

/** A file of the host and its place in the guest. */
export interface GuestFile {
  readonly from: string;
  readonly to: string;
  readonly executable: boolean;
}

/** What an initramfs holds. */
export interface InitramfsContent {
  /** One archive of each name is kept in the cache. */
  readonly name: string;
  /** Executables of the host; the libraries they are linked to come along. */
  readonly programs: readonly string[];
  /** Libraries by soname that are only opened at run time, where ldd does not see them. */
  readonly libraries: readonly string[];
  readonly files: readonly GuestFile[];
}

/** Gives the path of an archive with this content, from the cache when it is there. */
export async function buildInitramfs(cache: string, content: InitramfsContent): Promise<string> {
  const files = await withLibraries(content);
  const hash = createHash("sha256");
  // How archives are made counts as content too.
  hash.update(await Deno.readFile(new URL(import.meta.url)));
  for (const file of files) {
    const bytes = await Deno.readFile(file.from);
    hash.update(`${file.to}\0${file.executable}\0${bytes.length}\0`).update(bytes);
  }
  const prefix = `initramfs-${content.name}-`;
  const archive = `${prefix}${hash.digest("hex").slice(0, 16)}.cpio`;
  const path = `${cache}/${archive}`;
  if (await Deno.stat(path).then(() => true, () => false)) return path;

  await Deno.mkdir(cache, { recursive: true });
  await pack(cache, path, files);
  for (const entry of [...Deno.readDirSync(cache)]) {
    const stale = entry.name.startsWith(prefix) && entry.name !== archive;
    if (stale) await Deno.remove(`${cache}/${entry.name}`);
  }
  return path;
}

async function withLibraries(content: InitramfsContent): Promise<GuestFile[]> {
  const places = await libraryPlaces();
  const opened = content.libraries.map((soname) => {
    const place = places.get(soname);
    if (!place) throw new Error(`the library "${soname}" is not installed on this machine`);
    return place;
  });
  const loaded = [...content.programs, ...opened];
  const linked = await Promise.all(loaded.map(linkedLibraries));
  const byPlace = new Map<string, GuestFile>();
  for (const place of [...loaded, ...linked.flat()]) {
    byPlace.set(place, { from: place, to: place, executable: true });
  }
  for (const file of content.files) byPlace.set(file.to, file);
  return [...byPlace.values()].sort((a, b) => a.to < b.to ? -1 : 1);
}

/** Where the loader of this machine finds each library. */
async function libraryPlaces(): Promise<Map<string, string>> {
  const cache = await run("/sbin/ldconfig", ["-p"]);
  const lines = cache.matchAll(/^\t(\S+) \(([^)]*x86-64[^)]*)\) => (\S+)$/gm);
  return new Map([...lines].map(([, soname = "", , place = ""]) => [soname, place]));
}

async function linkedLibraries(program: string): Promise<string[]> {
  const answer = await new Deno.Command("ldd", { args: [program] }).output();
  const text = new TextDecoder().decode(answer.stdout) + new TextDecoder().decode(answer.stderr);
  if (/not a dynamic executable|statically linked/.test(text)) return [];
  if (!answer.success || text.includes("not found")) throw new Error(`ldd ${program}: ${text}`);
  return [...text.matchAll(/(\/\S+) \(0x/g)].map(([, place = ""]) => place);
}

async function pack(cache: string, path: string, files: readonly GuestFile[]): Promise<void> {
  const scratch = await Deno.makeTempDir({ dir: cache, prefix: "packing-" });
  try {
    const names = new Set<string>();
    const tree = `${scratch}/tree`;
    for (const file of files) {
      const parts = file.to.slice(1).split("/");
      for (let depth = 1; depth <= parts.length; depth++) {
        names.add(parts.slice(0, depth).join("/"));
      }
      await Deno.mkdir(`${tree}/${parts.slice(0, -1).join("/")}`, { recursive: true });
      await Deno.copyFile(file.from, `${tree}${file.to}`);
      await Deno.chmod(`${tree}${file.to}`, file.executable ? 0o755 : 0o644);
    }
    // A folder comes before what is in it, which the order of names gives.
    const input = [...names].sort().join("\n") + "\n";
    const made = `${scratch}/archive`;
    const options = ["--quiet", "--create", "--format=newc", "--owner=0:0", `--file=${made}`];
    await run("cpio", options, { cwd: tree, input });
    await Deno.rename(made, path);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}
