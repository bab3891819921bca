// This machine's own libraries for the executable to carry: those that are loaded when libtpms is
// opened, with the versions and licences that their Debian packages have.

import { Libtpms } from "../../ffi/libtpms.ts";
import { runCommand } from "../command.ts";
import type { Arch } from "../denort.ts";
import type { Carried } from "../embed.ts";
import { carriedFrom, type Piece, piecesOf } from "./pieces.ts";

const QUERY_LIMIT_MS = 30_000;

/** Collects them. Throws where one is missing, or its licence is. */
export async function machinesLibraries(arch: Arch): Promise<Carried[]> {
  void Libtpms.open().version;
  const maps = Deno.readTextFileSync("/proc/self/maps");
  const paths = new Map(
    [...maps.matchAll(/\s(\/\S+\/([^/\s]+))$/gm)].map(([, path, name]) => [name!, path!]),
  );
  // A library's file may have its version behind its soname.
  const pathOf = ({ soname }: Piece) =>
    [...paths].find(([name]) => name === soname || name.startsWith(`${soname}.`))?.[1];
  const found = piecesOf(arch).flatMap((piece) => {
    const path = pathOf(piece);
    return path === undefined ? [] : [{ piece, path }];
  });
  for (const needed of ["libc.so.6", "libcrypto.so.3", "libtpms.so.0"]) {
    if (found.some(({ piece }) => piece.soname === needed)) continue;
    throw new Error(`this machine's ${needed} is not what an executable can carry`);
  }
  return await Promise.all(found.map(async ({ piece, path }) => carry(piece, path)));
}

async function carry(piece: Piece, path: string): Promise<Carried> {
  const owner = await packageOf(path);
  if (owner === undefined || !piece.package.test(owner.name)) {
    throw new Error(`the licence of ${piece.name} was not found, so it cannot be passed on`);
  }
  return carriedFrom(piece, { ...owner, root: "" }, await Deno.readFile(path));
}

/** The Debian package that a file belongs to. */
async function packageOf(path: string): Promise<{ name: string; version: string } | undefined> {
  // A package may name its files by /lib, which is a link to /usr/lib.
  for (const name of [path, path.replace(/^\/usr/, "")]) {
    const owner = await query(["-S", name]);
    const found = owner === undefined ? undefined : /^([^:,\s]+)/.exec(owner)?.[1];
    if (found === undefined) continue;
    const version = await query(["-W", "-f", "${Version} ", found]);
    // Several architectures have a version each, all of them the same.
    if (version !== undefined) return { name: found, version: version.split(" ")[0]! };
  }
  return undefined;
}

async function query(args: readonly string[]): Promise<string | undefined> {
  try {
    const result = await runCommand("dpkg-query", args, { timeLimitMs: QUERY_LIMIT_MS });
    return result.success ? result.stdout : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
