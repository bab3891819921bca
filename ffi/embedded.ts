// Which libtpms is used: the system's, which gets the distribution's security updates, the one that
// the executable carries, or a given file. What is carried never touches a file system: it is
// written to memory and opened from there. What is carried is scripts/embed.ts' decision.
import { cString, Errno, type Libc, openLibc, SystemError } from "./libc.ts";
import { LIBTPMS, Libtpms } from "./libtpms.ts";

/** One library inside the executable. */
export interface EmbeddedLibrary {
  /** The name that other libraries know it by; also its file's. */
  soname: string;
  name: string;
  version: string;
  /** The distribution's package and its version, where it came from one. */
  package: string | undefined;
  /** SPDX identifiers. */
  licence: string;
  /** File with the licence's words. */
  licenceFile: string;
}

/** Where a libtpms came from. */
export type Origin = "system" | "embedded" | { path: string };

export interface ChosenLibtpms {
  libtpms: Libtpms;
  origin: Origin;
  /** Why the system's was not used, where another one took its place. */
  instead?: Error;
}

/** Beside the sources and in the executable alike; made by scripts/embed.ts. */
const FOLDER = new URL("../dist/embedded/", import.meta.url);
const MANIFEST = "libraries.json";

/** errno of "cannot access a needed shared library". */
const ELIBACC = 79;

const symbols = {
  /** int memfd_create(const char *name, unsigned flags) */
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

const MFD_CLOEXEC = 1;
/** Linux 6.3: nobody may run it as a program, which a locked down machine insists on. */
const MFD_NOEXEC_SEAL = 8;

/** What the executable carries, in the order in which it is opened; libtpms is the last. */
export function embeddedLibraries(): readonly EmbeddedLibrary[] {
  try {
    return JSON.parse(Deno.readTextFileSync(new URL(MANIFEST, FOLDER)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The words of a carried library's licence. */
export function licenceText(library: EmbeddedLibrary): string {
  return Deno.readTextFileSync(new URL(library.licenceFile, FOLDER));
}

/**
 * Opens libtpms: `system`, `embedded`, a file's path, or, where nothing is chosen, the system's and
 * else the embedded one. Throws {@linkcode SystemError}, which says what to do.
 */
export function chooseLibtpms(libc: Libc, choice: string | undefined): ChosenLibtpms {
  switch (choice) {
    case undefined:
    case "":
      return systemOrEmbedded(libc);
    case "system":
      return { libtpms: Libtpms.open(), origin: "system" };
    case "embedded":
      return { libtpms: openEmbedded(libc, embeddedLibraries()), origin: "embedded" };
    default:
      return { libtpms: Libtpms.open(choice), origin: { path: choice } };
  }
}

function systemOrEmbedded(libc: Libc): ChosenLibtpms {
  try {
    return { libtpms: Libtpms.open(), origin: "system" };
  } catch (error) {
    const libraries = embeddedLibraries();
    if (libraries.length === 0) throw error;
    const libtpms = openEmbedded(libc, libraries);
    return { libtpms, origin: "embedded", instead: error as Error };
  }
}

function openEmbedded(libc: Libc, libraries: readonly EmbeddedLibrary[]): Libtpms {
  const [last, ...others] = [...libraries].reverse();
  if (last === undefined) {
    throw new SystemError(
      "dlopen",
      ELIBACC,
      "ELIBACC",
      "this executable was built without a libtpms inside; use the system's",
      LIBTPMS,
    );
  }
  using files = new DisposableStack();
  const path = (soname: string) => memoryFile(libc, soname, files);
  // Once a library is open, others that need its soname get it, whatever the system has.
  for (const { soname } of others.reverse()) Deno.dlopen(path(soname), {});
  return Libtpms.open(path(last.soname));
}

/**
 * Puts a carried file into memory and returns a path to it, which is good until `files` close it:
 * all of them together, as dlopen(3) takes a path that it has seen for the library that it knows.
 */
function memoryFile(libc: Libc, soname: string, files: DisposableStack): string {
  const bytes = Deno.readFileSync(new URL(soname, FOLDER));
  const c = openLibc(symbols);
  const name = cString(soname);
  let fd = c.memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
  if (fd < 0 && libc.errno === Errno.EINVAL) fd = c.memfd_create(name, MFD_CLOEXEC);
  libc.check(fd, "memfd_create", soname);
  files.defer(() => c.close(fd));
  for (let rest = bytes; rest.length > 0;) {
    const count = libc.check(Number(c.write(fd, rest, BigInt(rest.length))), "write", soname);
    rest = rest.subarray(count);
  }
  return `/proc/self/fd/${fd}`;
}
