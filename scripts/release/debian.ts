// The Debian package that takes the place of swtpm and swtpm-tools: the executable under all names,
// pages, completions and examples. Its texts are in debian/.

import { LINKS } from "../../cli/programs.ts";
import { ROOT } from "../checkout.ts";
import type { Arch } from "../denort.ts";
import { mustRun, setTimes } from "./files.ts";
import { documents, installPages } from "./pages.ts";
import { DEBIAN_ARCH, VERSION } from "./parts.ts";

const PACKAGE = "swtpm-ts";
const TEXTS = `${ROOT}/scripts/release/debian`;
/** Measured 30 s on one busy processor. */
const PACK_LIMIT_MS = 600_000;

export interface PackageOptions {
  readonly arch: Arch;
  readonly executable: string;
  /** Whether the executable has a libtpms inside. */
  readonly hasLibtpms: boolean;
  readonly licences: string;
  readonly time: Date;
  /** The folder for the package. */
  readonly to: string;
}

/** Makes the package and returns its file's name. */
export async function debianPackage(options: PackageOptions): Promise<string> {
  const { arch, executable, licences, time, to } = options;
  const name = `${PACKAGE}_${VERSION}-1_${DEBIAN_ARCH[arch]}.deb`;
  const root = Deno.makeTempDirSync({ prefix: "swtpm-deb-" });
  try {
    const share = `${root}/usr/share`;
    const doc = `${share}/doc/${PACKAGE}`;
    for (const folder of ["DEBIAN", "usr/bin", `usr/share/doc/${PACKAGE}`]) {
      Deno.mkdirSync(`${root}/${folder}`, { recursive: true });
    }
    Deno.copyFileSync(executable, `${root}/usr/bin/swtpm`);
    Deno.chmodSync(`${root}/usr/bin/swtpm`, 0o755);
    for (const link of Object.keys(LINKS)) Deno.symlinkSync("swtpm", `${root}/usr/bin/${link}`);
    await installPages(share);
    Deno.writeTextFileSync(`${doc}/copyright`, licences);
    for (const file of documents()) Deno.copyFileSync(`${ROOT}/${file}`, `${doc}/${file}`);
    Deno.copyFileSync(`${TEXTS}/README.Debian`, `${doc}/README.Debian`);
    Deno.copyFileSync(`${ROOT}/CHANGELOG.md`, `${doc}/changelog`);
    await mustRun("gzip", ["-9n", `${doc}/changelog`], PACK_LIMIT_MS);
    await mustRun("cp", ["-R", `${ROOT}/examples`, doc], PACK_LIMIT_MS);
    Deno.writeTextFileSync(`${root}/DEBIAN/control`, control(options, kibibytesOf(root)));
    Deno.copyFileSync(`${TEXTS}/postinst`, `${root}/DEBIAN/postinst`);
    await mustRun("chmod", ["-R", "u+rwX,go+rX,go-w", root], PACK_LIMIT_MS);
    Deno.chmodSync(`${root}/DEBIAN/postinst`, 0o755);
    setTimes(root, time);
    const words = ["--root-owner-group", "-Zxz", "-z1", "--build", root, `${to}/${name}`];
    const epoch = String(Math.floor(time.getTime() / 1000));
    await mustRun("dpkg-deb", words, PACK_LIMIT_MS, { SOURCE_DATE_EPOCH: epoch });
    return name;
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

function control({ arch, hasLibtpms }: PackageOptions, size: number): string {
  const words: Readonly<Record<string, string>> = {
    VERSION,
    ARCH: DEBIAN_ARCH[arch],
    SIZE: String(size),
    DEPENDS: hasLibtpms ? "" : ", libtpms0 | libtpms0t64",
  };
  return Deno.readTextFileSync(`${TEXTS}/control`)
    .replace(/@([A-Z]+)@/g, (_, name: string) => words[name]!);
}

/** The sizes of all files. */
function kibibytesOf(folder: string): number {
  let total = 0;
  for (const { name, isDirectory, isFile } of Deno.readDirSync(folder)) {
    if (isDirectory) total += kibibytesOf(`${folder}/${name}`);
    else if (isFile) total += Math.ceil(Deno.statSync(`${folder}/${name}`).size / 1024);
  }
  return total;
}
