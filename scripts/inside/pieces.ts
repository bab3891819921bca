// What the executable carries for machines that do not have it: glibc, of which its own loader makes
// use, and libtpms with what that needs. Where the files come from is machine.ts' affair.

import type { EmbeddedLibrary } from "../../wire/carried.ts";
import type { Arch } from "../denort.ts";
import type { Carried } from "../embed.ts";

/** One library, as it is known before a file of it was found. */
export interface Piece extends Pick<EmbeddedLibrary, "soname" | "name" | "licence" | "serves"> {
  /** Debian's package of it. */
  readonly package: RegExp;
  /** Licences whose words Debian keeps in one place for all packages. */
  readonly common: readonly string[];
}

const GLIBC = {
  name: "glibc",
  licence: "LGPL-2.1-or-later",
  common: ["LGPL-2.1"],
  package: /^libc6$/,
  serves: "loader",
} as const;

const LOADERS: Readonly<Record<Arch, string>> = {
  x64: "ld-linux-x86-64.so.2",
  arm64: "ld-linux-aarch64.so.1",
};

/** In the order in which they are carried: the loader, what it loads, libtpms as the last. */
export function piecesOf(arch: Arch): readonly Piece[] {
  const glibc = [LOADERS[arch], "libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1"];
  return [
    ...[...glibc, "libpthread.so.0"].map((soname) => ({ soname, ...GLIBC })),
    {
      soname: "libgcc_s.so.1",
      name: "libgcc",
      licence: "GPL-3.0-or-later WITH GCC-exception-3.1",
      common: ["GPL-3"],
      package: /^(libgcc-s1|gcc-\d+-base)$/,
      serves: "loader",
    },
    {
      soname: "libz.so.1",
      name: "zlib",
      licence: "Zlib",
      common: [],
      package: /^zlib1g$/,
      serves: "libtpms",
    },
    {
      soname: "libzstd.so.1",
      name: "Zstandard",
      licence: "BSD-3-Clause",
      common: [],
      package: /^libzstd1$/,
      serves: "libtpms",
    },
    {
      soname: "libcrypto.so.3",
      name: "OpenSSL (libcrypto)",
      licence: "Apache-2.0",
      common: ["Apache-2.0"],
      package: /^libssl3(t64)?$/,
      serves: "libtpms",
    },
    {
      soname: "libtpms.so.0",
      name: "libtpms",
      // The TPM 2 code has a licence of its own, which was written for the TCG's sources.
      licence: "BSD-3-Clause AND LicenseRef-IBM-Custom",
      common: [],
      package: /^libtpms0$/,
      serves: "libtpms",
    },
  ];
}

/** The version of what is packaged, from the package's (deb-version(7)). */
export function upstreamVersion(version: string): string {
  return version.replace(/^\d+:/, "").replace(/-[^-]*$/, "").replace(/^.*\+really/, "")
    .replace(/[+.](dfsg|ds).*$/, "");
}

/** A library with its bytes, from a Debian package that is unpacked below `root`. */
export function carriedFrom(
  piece: Piece,
  { name, version, root }: { name: string; version: string; root: string },
  bytes: Uint8Array,
): Carried {
  const { soname, licence, serves } = piece;
  return {
    ...{ soname, name: piece.name, licence, serves },
    version: upstreamVersion(version),
    package: `${name} ${version}`,
    licenceText: licenceText(piece, `${root}/usr/share/doc/${name}/copyright`),
    bytes,
  };
}

/** The words of a licence, without which a library may not be passed on. */
function licenceText(piece: Piece, copyright: string): string {
  const folder = "/usr/share/common-licenses";
  const words = piece.common.map((name) => Deno.readTextFileSync(`${folder}/${name}`));
  return [Deno.readTextFileSync(copyright), ...words].join("\n");
}
