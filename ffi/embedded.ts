// The libraries that the executable carries. They never touch a file system: they are copied to
// memory and opened from there. How they are carried is wire/carried.ts' knowledge, when they are
// used choose_libtpms.ts'.
import {
  archiveHeader,
  type CarriedLibrary,
  decodeList,
  elfEnd,
  elfHeader,
  type EmbeddedLibrary,
  listSizeOf,
} from "../wire/carried.ts";
import { type Files, O } from "./files.ts";
import { cString, Errno, openLibc, SystemError } from "./libc.ts";
import { ELIBACC, LIBTPMS, Libtpms } from "./libtpms.ts";

/** This program, whatever its name is by now. */
const OWN_PATH = "/proc/self/exe";

const symbols = {
  /** int memfd_create(const char *name, unsigned flags) */
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  /** ssize_t sendfile(int out_fd, int in_fd, off_t *offset, size_t count) */
  sendfile: { parameters: ["i32", "i32", "buffer", "usize"], result: "isize" },
} as const;

const MFD_CLOEXEC = 1;
/** Linux 6.3: nobody may run it as a program, which a locked down machine insists on. */
const MFD_NOEXEC_SEAL = 8;

/** The archive inside the executable; a descriptor of its own as long as it lives. */
class Archive implements Disposable {
  readonly #fd: number;
  #begin = 0;
  /** What is carried, in the order in which it is opened; libtpms is the last. */
  readonly libraries: readonly CarriedLibrary[];

  constructor(private readonly files: Files) {
    this.#fd = files.open(OWN_PATH, O.RDONLY);
    const end = elfEnd(this.#read(0, elfHeader.size));
    this.#begin = end ?? 0;
    const listSize = end === undefined ? undefined : listSizeOf(this.#read(0, archiveHeader.size));
    const room = files.status(this.#fd, OWN_PATH).size - this.#begin;
    // A program that runs from its sources carries nothing.
    this.libraries = listSize === undefined
      ? []
      : decodeList(this.#read(archiveHeader.size, Math.min(listSize, room)), room);
  }

  #read(at: number, size: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, this.files.readAt(this.#fd, bytes, this.#begin + at, OWN_PATH));
  }

  /**
   * Puts a library into memory and returns a path to it, which is good until `memory` closes it:
   * all of them together, as dlopen(3) takes a path that it has seen for the library that it knows.
   */
  copy({ soname, offset, size }: CarriedLibrary, memory: DisposableStack): string {
    const { libc } = this.files;
    const c = openLibc(symbols);
    const name = cString(soname);
    let fd = c.memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
    if (fd < 0 && libc.errno === Errno.EINVAL) fd = c.memfd_create(name, MFD_CLOEXEC);
    libc.check(fd, "memfd_create", soname);
    memory.defer(() => this.files.close(fd));
    const at = BigInt64Array.of(BigInt(this.#begin + offset));
    const place = new Uint8Array(at.buffer);
    for (let left = size; left > 0;) {
      const count = libc.check(
        Number(c.sendfile(fd, this.#fd, place, BigInt(left))),
        "sendfile",
        soname,
      );
      if (count === 0) throw new Error(`the executable ends within '${soname}'`);
      left -= count;
    }
    return `/proc/self/fd/${fd}`;
  }

  [Symbol.dispose](): void {
    this.files.close(this.#fd);
  }
}

/** What the executable carries. */
export function embeddedLibraries(files: Files): readonly EmbeddedLibrary[] {
  using archive = new Archive(files);
  return archive.libraries;
}

/** Opens the libtpms that the executable carries. Throws {@linkcode SystemError}. */
export function openEmbedded(files: Files): Libtpms {
  using archive = new Archive(files);
  const libraries = archive.libraries.filter(({ serves }) => serves === "libtpms");
  const last = libraries.pop();
  if (last === undefined) {
    throw new SystemError(
      "dlopen",
      ELIBACC,
      "ELIBACC",
      "this executable was built without a libtpms inside; use the system's",
      LIBTPMS,
    );
  }
  using memory = new DisposableStack();
  // Once a library is open, others that need its soname get it, whatever the system has.
  for (const library of libraries) {
    Deno.dlopen(archive.copy(library, memory), {});
  }
  return Libtpms.open(archive.copy(last, memory));
}
