// What the machine says about a path before it is used: room on its file system, whether we may.
import { cString, type Libc, openLibc } from "./libc.ts";

const symbols = {
  /** int statvfs(const char *path, struct statvfs *) */
  statvfs: { parameters: ["buffer", "buffer"], result: "i32" },
  /** int faccessat(int dirfd, const char *path, int mode, int flags) */
  faccessat: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
} as const;

/** `struct statvfs` of 64-bit Linux. */
const statvfsLayout = {
  size: 112,
  unit: 8,
  available: 32,
  fileCount: 40,
  filesAvailable: 56,
  flags: 72,
} as const;
const ST_RDONLY = 1;

/** What may be done with a path; bits of access(2). */
export const Access = { SEARCH: 1, WRITE: 2, READ: 4 } as const;

const AT_FDCWD = -100;
/** The effective user counts, as it does for open(2). */
const AT_EACCESS = 0x200;

/** What a file system has left for us. */
export interface Space {
  /** Bytes that a user may still write. */
  bytes: number;
  /** Whether another file may be made. */
  anotherFile: boolean;
  readOnly: boolean;
}

export class Machine {
  readonly #c = openLibc(symbols);

  constructor(private readonly libc: Libc) {}

  space(path: string): Space {
    const bytes = new Uint8Array(statvfsLayout.size);
    this.libc.check(this.#c.statvfs(cString(path), bytes), "statvfs", path);
    const view = new DataView(bytes.buffer);
    const word = (offset: number) => Number(view.getBigUint64(offset, true));
    return {
      bytes: word(statvfsLayout.available) * word(statvfsLayout.unit),
      // A file system without a table of files counts none at all.
      anotherFile: word(statvfsLayout.fileCount) === 0 || word(statvfsLayout.filesAvailable) > 0,
      readOnly: (word(statvfsLayout.flags) & ST_RDONLY) !== 0,
    };
  }

  /** Whether we may do all of that with a path, a sum of {@linkcode Access}. */
  may(path: string, access: number): boolean {
    return this.#c.faccessat(AT_FDCWD, cString(path), access, AT_EACCESS) === 0;
  }
}
