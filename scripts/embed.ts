// Collects the libraries that the executable carries, with their versions and the words of their
// licences: libtpms and what it needs, and glibc, for machines without them. Using them is left to
// ffi/embedded.ts and to executable/entry/, where they come from to inside/.
//
// Usage: deno run -A scripts/embed.ts

import { archiveHeader, decodeList, encodeArchive, listSizeOf } from "../wire/carried.ts";
import type { EmbeddedLibrary } from "../wire/carried.ts";
import type { Arch } from "./denort.ts";
import type { Inside } from "./executable/own_loader.ts";
import { debianLibraries } from "./inside/debian.ts";
import { machinesLibraries } from "./inside/machine.ts";

/** A library with its bytes. */
export type Carried = EmbeddedLibrary & { readonly bytes: Uint8Array };

/** What the executable will carry, or why it is nothing. */
export type Embedding =
  | {
    readonly libraries: readonly EmbeddedLibrary[];
    /** What stands behind the base executable. */
    readonly archive: Uint8Array<ArrayBuffer>;
    /** Why it is not Debian's newest. */
    readonly instead?: string;
  }
  | { readonly reason: string };

/**
 * Collects them for an executable on `arch`: Debian's newest, else this machine's own, where that has
 * such a processor.
 */
export async function embed(arch: Arch, isMachines: boolean): Promise<Embedding> {
  try {
    return embeddingOf(await debianLibraries(arch));
  } catch (error) {
    const reason = messageOf(error);
    if (!isMachines) return { reason };
    try {
      return { ...embeddingOf(await machinesLibraries(arch)), instead: reason };
    } catch (error) {
      return { reason: `${messageOf(error)}; ${reason}` };
    }
  }
}

function embeddingOf(libraries: readonly Carried[]) {
  return {
    libraries: libraries.map(({ bytes: _, ...library }) => library),
    archive: encodeArchive(withoutRepetition(libraries)),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.split("\n")[0]! : String(error);
}

/** Several libraries of one package have one licence. */
function withoutRepetition(libraries: readonly Carried[]): Carried[] {
  return libraries.map((library, index) =>
    library.licenceText === libraries[index - 1]?.licenceText
      ? { ...library, licenceText: "" }
      : library
  );
}

/** What the executable's own loader finds in an archive; nothing where there is none. */
export function insideOf(archive: Uint8Array): Inside {
  const listSize = listSizeOf(archive);
  if (listSize === undefined) return { libraries: [], libtpmsNeeds: 0 };
  const list = archive.subarray(archiveHeader.size, archiveHeader.size + listSize);
  const all = decodeList(list, archive.length);
  const needs = all.filter(({ serves }) => serves === "libtpms")
    .map(({ offset, size }) => glibcNeededBy(archive.subarray(offset, offset + size)));
  return {
    libraries: all.filter(({ serves }) => serves === "loader"),
    libtpmsNeeds: Math.max(0, ...needs),
  };
}

/** What follows "2." in the newest version of glibc's symbols that a library names. */
function glibcNeededBy(library: Uint8Array): number {
  const text = new TextDecoder("latin1").decode(library);
  return Math.max(0, ...[...text.matchAll(/\0GLIBC_2\.(\d+)(?=\0)/g)].map(([, minor]) => +minor!));
}

/** One line about what the executable will carry, for a person. */
export function describeEmbedding(embedding: Embedding): string {
  if ("reason" in embedding) return `no libtpms inside: ${embedding.reason}`;
  const list = embedding.libraries.map(({ name, version }) => `${name} ${version}`);
  const { instead } = embedding;
  const origin = instead === undefined ? "" : ` (this machine's, as Debian's newest: ${instead})`;
  return `inside${origin}: ${[...new Set(list)].join(", ")}`;
}

if (import.meta.main) {
  const arch = Deno.build.arch === "x86_64" ? "x64" : "arm64";
  console.log(describeEmbedding(await embed(arch, true)));
}
