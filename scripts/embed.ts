// Collects the libraries that the executable carries, as this machine has them, with their versions
// and the words of their licences: libtpms for machines without one, and the libcrypto it needs.
// Using them is left to ffi/embedded.ts.
//
// Usage: deno run -A scripts/embed.ts

import { LIBTPMS, Libtpms } from "../ffi/libtpms.ts";
import { type EmbeddedLibrary, encodeArchive } from "../wire/carried.ts";
import { runCommand } from "./command.ts";

const QUERY_LIMIT_MS = 30_000;
const LIBCRYPTO = /^libcrypto\.so\.\d+$/;

/** A library of this machine. */
interface Found {
  soname: string;
  path: string;
  name: string;
  version: string;
  licence: string;
}

/** What the executable will carry, or why it is nothing. */
export type Embedding =
  | {
    readonly libraries: readonly EmbeddedLibrary[];
    /** What stands behind the base executable. */
    readonly archive: Uint8Array<ArrayBuffer>;
  }
  | { readonly reason: string };

/** Collects this machine's libraries. */
export async function embed(): Promise<Embedding> {
  try {
    const carried = await Promise.all(findLibraries().map(carry));
    return {
      libraries: carried.map(({ bytes: _, ...library }) => library),
      archive: encodeArchive(carried),
    };
  } catch (error) {
    return { reason: error instanceof Error ? error.message.split("\n")[0]! : String(error) };
  }
}

/** libcrypto, then libtpms: those that are loaded when libtpms is opened. */
function findLibraries(): Found[] {
  const libtpms = Libtpms.open();
  const paths = new Set(
    Deno.readTextFileSync("/proc/self/maps").match(/(?<=\s)\/\S+\.so[.\d]*$/gm) ?? [],
  );
  const pathOf = (what: string, pattern: RegExp) => {
    const path = [...paths].find((path) => pattern.test(path.split("/").at(-1) ?? ""));
    if (path === undefined) throw new Error(`${what} is loaded, but not from a file`);
    return path;
  };
  const crypto = pathOf("libcrypto", /^libcrypto\.so\.\d/);
  const soname = crypto.split("/").at(-1)!;
  if (!LIBCRYPTO.test(soname)) throw new Error(`"${crypto}" is not named after its soname`);
  const { version } = libtpms;
  return [
    {
      soname,
      path: crypto,
      name: "OpenSSL (libcrypto)",
      version: opensslVersion(crypto),
      licence: "Apache-2.0",
    },
    {
      soname: LIBTPMS,
      path: pathOf("libtpms", /^libtpms\.so\.0/),
      name: "libtpms",
      version: [version >> 16, (version >> 8) & 0xff, version & 0xff].join("."),
      // The TPM 2 code has a licence of its own, which was written for the TCG's sources.
      licence: "BSD-3-Clause AND LicenseRef-IBM-Custom",
    },
  ];
}

function opensslVersion(path: string): string {
  const text = new TextDecoder("latin1").decode(Deno.readFileSync(path));
  const version = /\0OpenSSL (\d+\.\d+\.\d+[^\s\0]*) /.exec(text)?.[1];
  if (version === undefined) throw new Error(`"${path}" names no version of OpenSSL`);
  return version;
}

async function carry({ path, ...found }: Found): Promise<EmbeddedLibrary & { bytes: Uint8Array }> {
  const owner = await packageOf(path);
  return {
    ...found,
    package: owner === undefined ? undefined : `${owner.name} ${owner.version}`,
    licenceText: await licenceOf(found, owner?.name),
    bytes: await Deno.readFile(path),
  };
}

/** The Debian package that a file belongs to. */
async function packageOf(path: string): Promise<{ name: string; version: string } | undefined> {
  // A package may name its files by /lib, which is a link to /usr/lib.
  for (const name of [path, path.replace(/^\/usr/, "")]) {
    const owner = await query(["-S", name]);
    const found = owner === undefined ? undefined : /^([^:,\s]+)/.exec(owner)?.[1];
    if (found === undefined) continue;
    const version = await query(["-W", "-f", "${Version}", found]);
    // Several architectures have a version each, all of them the same.
    if (version !== undefined) return { name: found, version: version.trim() };
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

/** The words of a licence, without which a library may not be passed on. */
async function licenceOf(
  { name, licence }: Pick<Found, "name" | "licence">,
  owner: string | undefined,
): Promise<string> {
  const path = `/usr/share/doc/${owner}/copyright`;
  if (owner === undefined || !(await exists(path))) {
    throw new Error(`the licence of ${name} was not found, so it cannot be passed on`);
  }
  const text = await Deno.readTextFile(path);
  // Debian keeps the words of the best known licences in one place and only points there.
  const common = `/usr/share/common-licenses/${licence}`;
  return await exists(common) ? `${text}\n${await Deno.readTextFile(common)}` : text;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** One line about what the executable will carry, for a person. */
export function describeEmbedding(embedding: Embedding): string {
  if ("reason" in embedding) return `no libtpms inside: ${embedding.reason}`;
  const list = embedding.libraries.map(({ name, version }) => `${name} ${version}`);
  return `inside: ${list.join(", ")}`;
}

if (import.meta.main) console.log(describeEmbedding(await embed()));
