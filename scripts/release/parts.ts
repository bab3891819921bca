// What an executable of a release is made of, each part with its version, licence and hash: the runtime,
// the libraries inside, which are read out of the file itself, and the packages that deno.lock names.

import { createHash } from "node:crypto";
import manifest from "../../deno.json" with { type: "json" };
import { archiveHeader, decodeList, elfEnd, elfHeader, listSizeOf } from "../../wire/carried.ts";
import { DENO_VERSION, ROOT } from "../checkout.ts";
import { type Arch, DONORS } from "../denort.ts";
import { installedPackage } from "./npm_cache.ts";

export const VERSION = manifest.version;

export interface Part {
  readonly name: string;
  readonly version: string;
  /** SPDX identifiers. */
  readonly licence: string;
  readonly licenceText: string;
  /** Package URL (purl): where it comes from. */
  readonly purl: string;
  readonly hash?: { readonly algorithm: "SHA-256" | "SHA-512"; readonly digest: string };
  /** The executable that it is in, where it is not in all of them. */
  readonly arch?: Arch;
  readonly kind: "library" | "platform";
}

/** Debian's names of the processors. */
export const DEBIAN_ARCH: Readonly<Record<Arch, string>> = { x64: "amd64", arm64: "arm64" };

/** Where the archive of libraries may begin behind the base. */
const ALIGNMENT = 1 << 16;

/** Deno as its base executable, and V8 in it. */
export function runtime(arch: Arch): Part[] {
  const text = (name: string) =>
    Deno.readTextFileSync(`${ROOT}/scripts/release/licences/${name}.txt`);
  const { v8 } = Deno.version;
  return [
    {
      name: "deno",
      version: DENO_VERSION,
      licence: "MIT",
      licenceText: text("deno"),
      purl: `pkg:github/denoland/deno@v${DENO_VERSION}`,
      hash: { algorithm: "SHA-256", digest: DONORS[arch].baseSha256 },
      arch,
      kind: "platform",
    },
    {
      name: "v8",
      version: v8,
      licence: "BSD-3-Clause",
      licenceText: text("v8"),
      purl: `pkg:github/v8/v8@${encodeURIComponent(v8)}`,
      arch,
      kind: "library",
    },
  ];
}

/** The libraries that an executable carries. */
export function librariesIn(executable: Uint8Array, arch: Arch): Part[] {
  const end = elfEnd(executable.subarray(0, elfHeader.size));
  if (end === undefined) throw new Error("not an executable");
  const aligned = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
  const archive = [end, aligned].map((at) => executable.subarray(at))
    .find((bytes) => listSizeOf(bytes.subarray(0, archiveHeader.size)) !== undefined);
  if (archive === undefined) return [];
  const listSize = listSizeOf(archive)!;
  const list = archive.subarray(archiveHeader.size, archiveHeader.size + listSize);
  let words = "";
  return decodeList(list, archive.length).map((library) => {
    const { soname, name, version, licence, licenceText, offset, size } = library;
    if (licenceText !== "") words = licenceText; // one that is left out is that of the library before
    return {
      name: `${name === "libtpms" ? name : `${name}, ${soname}`}`,
      version,
      licence,
      licenceText: words,
      purl: debianPurl(library.package, arch) ?? `pkg:generic/${soname}@${version}`,
      hash: { algorithm: "SHA-256", digest: sha256(archive.subarray(offset, offset + size)) },
      arch,
      kind: "library",
    };
  });
}

function debianPurl(named: string | undefined, arch: Arch): string | undefined {
  const [name, version] = named?.split(" ") ?? [];
  if (name === undefined || version === undefined) return undefined;
  return `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${DEBIAN_ARCH[arch]}`;
}

/** The packages in the bundle, as deno.lock pins them. */
export function packages(npmCache: string): Part[] {
  const lock = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.lock`)) as {
    npm: Record<string, { integrity: string }>;
  };
  return Object.entries(lock.npm).map(([id, { integrity }]) => {
    const at = id.lastIndexOf("@");
    const [name, version] = [id.slice(0, at), id.slice(at + 1)];
    return {
      name,
      version,
      ...installedPackage(npmCache, name, version),
      purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
      hash: { algorithm: "SHA-512", digest: hexOf(integrity) },
      kind: "library",
    };
  });
}

/** npm's "sha512-" and base64 as hexadecimal digits. */
function hexOf(integrity: string): string {
  const digest = /^sha512-(.+)$/.exec(integrity)?.[1];
  if (digest === undefined) {
    throw new Error(`deno.lock has an integrity that is no SHA-512: "${integrity}"`);
  }
  return Uint8Array.fromBase64(digest).toHex();
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
