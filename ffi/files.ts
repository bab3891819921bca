// Files by descriptor: open, read, write, rename, lock, with the flags that Deno's own calls lack
// (O_NOFOLLOW, a kept directory descriptor, record locks). What is in them is the callers' affair.
import { type FileStatus, fileStatus, STATX_BASIC_STATS, STATX_SIZE } from "./file_status.ts";
import { cString, Errno, type Libc, openLibc, type SystemError } from "./libc.ts";

// Sizes and results that fit in 32 bits are declared so: 64-bit ones would be BigInt and slower.
const symbols = {
  /** int openat(int dirfd, const char *path, int flags, mode_t mode) */
  openat: { parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  /** ssize_t read(int fd, void *buf, size_t count) */
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "u32", "i64"], result: "i32" },
  pwrite: { parameters: ["i32", "buffer", "u32", "i64"], result: "i32" },
  /** int statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *) */
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  renameat: { parameters: ["i32", "buffer", "i32", "buffer"], result: "i32" },
  /** The same with flags; glibc 2.28 and later. */
  renameat2: { parameters: ["i32", "buffer", "i32", "buffer", "u32"], result: "i32" },
  unlinkat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  fsync: { parameters: ["i32"], result: "i32" },
  fdatasync: { parameters: ["i32"], result: "i32" },
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  chmod: { parameters: ["buffer", "u32"], result: "i32" },
  /** int chown(const char *path, uid_t owner, gid_t group); -1 keeps. */
  chown: { parameters: ["buffer", "u32", "u32"], result: "i32" },
  umask: { parameters: ["u32"], result: "u32" },
  /** int fcntl(int fd, int cmd, struct flock *) */
  fcntlLock: { name: "fcntl", parameters: ["i32", "i32", "buffer"], result: "i32" },
  /** int flock(int fd, int operation); waits. */
  flock: { parameters: ["i32", "i32"], result: "i32" },
  fcntlGet: { name: "fcntl", parameters: ["i32", "i32", "i32"], result: "i32" },
  /** int ioctl(int fd, unsigned long request, void *) */
  ioctl: { parameters: ["i32", "u32", "buffer"], result: "i32" },
} as const;

const arm = Deno.build.arch === "aarch64";

/** Flags of open(2); two of them differ between architectures. */
export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: arm ? 0o40000 : 0o200000,
  NOFOLLOW: arm ? 0o100000 : 0o400000,
  CLOEXEC: 0o2000000,
  /** Only a place in the file system: a directory needs no read permission for it. */
  PATH: 0o10000000,
} as const;

/** "The working directory" in place of a directory descriptor. */
export const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const AT_REMOVEDIR = 0x200;
const F_GETFL = 3;
const F_GETLK = 5;
const F_SETLK = 6;
const F_WRLCK = 1;
const F_UNLCK = 2;
const LOCK_EX = 2;
const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;
/** ioctl for the size of a block device in bytes, into a u64 (linux/fs.h). */
const BLKGETSIZE64 = 0x80081272;

/** `struct flock`: short type, short whence, pad, off_t start, off_t len, pid_t pid, pad. */
const flockLayout = { size: 32, pid: 24 } as const;

/** A process of another machine or PID namespace, which has no number here. */
export const UNKNOWN_HOLDER = 0;

/** Outcome of asking for a record lock: taken, or who has it. */
export type LockOutcome = { taken: true } | { taken: false; holder: number };

/** Paths that are kept as C strings: those of one TPM's states, several times over. */
const PATHS_MAX = 64;

/** Calls on files, each throwing {@linkcode SystemError} with the path it was about. */
export class Files {
  readonly #c = openLibc(symbols);
  readonly #paths = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(readonly libc: Libc) {}

  /** The path for C. A state is stored under the same names again and again. */
  #cPath(path: string): Uint8Array<ArrayBuffer> {
    let bytes = this.#paths.get(path);
    if (bytes !== undefined) return bytes;
    bytes = cString(path);
    if (this.#paths.size < PATHS_MAX) this.#paths.set(path, bytes);
    return bytes;
  }

  /** Opens `path`, taken from `directory` (a descriptor, or {@linkcode AT_FDCWD}) if relative. */
  open(path: string, flags: number, mode = 0, directory: number = AT_FDCWD): number {
    return this.libc.check(
      this.#c.openat(directory, this.#cPath(path), flags | O.CLOEXEC, mode),
      "open",
      path,
    );
  }

  close(fd: number): void {
    this.#c.close(fd);
  }

  /** Closes a file that was written: some file systems say only then that there is no room. */
  finish(fd: number, subject?: string): void {
    const result = this.#c.close(fd);
    if (result < 0 && this.libc.errno !== Errno.EINTR) throw this.libc.error("close", subject);
  }

  /** Reads what is there now, up to the size of `into`; 0 at the end. */
  read(fd: number, into: Uint8Array<ArrayBuffer>, subject?: string): number {
    for (;;) {
      const count = this.#c.read(fd, into, into.length);
      if (count >= 0) return count;
      if (this.libc.errno !== Errno.EINTR) throw this.libc.error("read", subject);
    }
  }

  /**
   * Reads to the end. `limit` bounds the memory: more bytes than that are not read, and the result
   * is then one byte longer than `limit`.
   */
  readAll(fd: number, limit: number, subject?: string): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(limit + 1);
    let length = 0;
    while (length < whole.length) {
      const count = this.read(fd, whole.subarray(length), subject);
      if (count === 0) break;
      length += count;
    }
    return whole.slice(0, length);
  }

  /** Writes all of `bytes`. */
  write(fd: number, bytes: Uint8Array<ArrayBuffer>, subject?: string): void {
    let rest = bytes;
    while (rest.length > 0) {
      const count = this.writeSome(fd, rest, subject);
      if (count === undefined) throw this.libc.error("write", subject);
      rest = rest.subarray(count);
    }
  }

  /**
   * Adds a text to the end of a file, which is made with `mode` where there is none; `flags` are
   * further ones of {@linkcode O}.
   */
  append(path: string, text: string, mode: number, flags = 0): void {
    const fd = this.open(path, O.WRONLY | O.CREAT | O.APPEND | flags, mode);
    try {
      this.write(fd, new TextEncoder().encode(text), path);
    } finally {
      this.close(fd);
    }
  }

  /** Puts `bytes` in the place of what is in a file; for the rest as {@linkcode append}. */
  overwrite(path: string, bytes: Uint8Array<ArrayBuffer>, mode: number, flags = 0): void {
    const fd = this.open(path, O.WRONLY | O.CREAT | O.TRUNC | flags, mode);
    try {
      this.write(fd, bytes, path);
    } finally {
      this.finish(fd, path);
    }
  }

  /** Writes what there is room for; undefined where there is none and the descriptor never waits. */
  writeSome(fd: number, bytes: Uint8Array<ArrayBuffer>, subject?: string): number | undefined {
    for (;;) {
      const count = this.#c.write(fd, bytes, bytes.length);
      if (count >= 0) return count;
      if (this.libc.errno === Errno.EAGAIN) return undefined;
      if (this.libc.errno !== Errno.EINTR) throw this.libc.error("write", subject);
    }
  }

  /** Reads `into.length` bytes at `at`, fewer at the end of the file. */
  readAt(fd: number, into: Uint8Array<ArrayBuffer>, at: number, subject?: string): number {
    let length = 0;
    while (length < into.length) {
      const part = into.subarray(length);
      const count = this.#c.pread(fd, part, part.length, BigInt(at + length));
      if (count === 0) break;
      if (count > 0) length += count;
      else if (this.libc.errno !== Errno.EINTR) throw this.libc.error("read", subject);
    }
    return length;
  }

  writeAt(fd: number, bytes: Uint8Array<ArrayBuffer>, at: number, subject?: string): void {
    let done = 0;
    while (done < bytes.length) {
      const part = bytes.subarray(done);
      const count = this.#c.pwrite(fd, part, part.length, BigInt(at + done));
      if (count >= 0) done += count;
      else if (this.libc.errno !== Errno.EINTR) throw this.libc.error("write", subject);
    }
  }

  /** What an open descriptor is. */
  status(fd: number, subject?: string): FileStatus {
    return this.#statx(fd, "", AT_EMPTY_PATH, subject ?? `descriptor ${fd}`);
  }

  /** What a path is (symbolic links followed), or undefined where there is nothing. */
  statusOf(path: string, directory: number = AT_FDCWD): FileStatus | undefined {
    return this.#statusIfThere(directory, path, 0);
  }

  /** The same of a symbolic link itself. */
  linkStatusOf(path: string): FileStatus | undefined {
    return this.#statusIfThere(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
  }

  #statusIfThere(directory: number, path: string, flags: number): FileStatus | undefined {
    try {
      return this.#statx(directory, path, flags, path);
    } catch (error) {
      if ((error as SystemError).errno === Errno.ENOENT) return undefined;
      throw error;
    }
  }

  #statx(directory: number, path: string, flags: number, subject: string): FileStatus {
    const bytes = new Uint8Array(STATX_SIZE);
    const result = this.#c.statx(directory, this.#cPath(path), flags, STATX_BASIC_STATS, bytes);
    this.libc.check(result, "stat", subject);
    return fileStatus(bytes);
  }

  rename(from: string, to: string, directory: number = AT_FDCWD): void {
    const result = this.#c.renameat(directory, this.#cPath(from), directory, this.#cPath(to));
    this.libc.check(result, "rename", from);
  }

  /** The same where nothing has that name: EEXIST. Not every file system can: EINVAL. */
  renameNew(from: string, to: string): void {
    const [made, name] = [this.#cPath(from), this.#cPath(to)];
    const result = this.#c.renameat2(AT_FDCWD, made, AT_FDCWD, name, RENAME_NOREPLACE);
    this.libc.check(result, "rename", to);
  }

  /** Two names change places at one stroke. Not every file system can: EINVAL. */
  exchange(one: string, other: string, directory: number = AT_FDCWD): void {
    const result = this.#c.renameat2(
      directory,
      this.#cPath(one),
      directory,
      this.#cPath(other),
      RENAME_EXCHANGE,
    );
    this.libc.check(result, "rename", other);
  }

  /** Removes an empty directory. */
  removeDirectory(path: string): void {
    this.libc.check(this.#c.unlinkat(AT_FDCWD, cString(path), AT_REMOVEDIR), "rmdir", path);
  }

  /** Removes a name; false where there was none. */
  unlink(path: string, directory: number = AT_FDCWD): boolean {
    if (this.#c.unlinkat(directory, this.#cPath(path), 0) === 0) return true;
    if (this.libc.errno === Errno.ENOENT) return false;
    throw this.libc.error("unlink", path);
  }

  fsync(fd: number, subject?: string): void {
    this.libc.check(this.#c.fsync(fd), "fsync", subject);
  }

  /** The same without times and owners: what it takes to read the bytes again. */
  fdatasync(fd: number, subject?: string): void {
    this.libc.check(this.#c.fdatasync(fd), "fdatasync", subject);
  }

  /** Size in bytes of an open block device. */
  deviceSize(fd: number, subject?: string): number {
    const size = new BigUint64Array(1);
    const result = this.#c.ioctl(fd, BLKGETSIZE64, new Uint8Array(size.buffer));
    this.libc.check(result, "BLKGETSIZE64", subject);
    return Number(size[0]!);
  }

  truncate(fd: number, size: number, subject?: string): void {
    this.libc.check(this.#c.ftruncate(fd, BigInt(size)), "ftruncate", subject);
  }

  chmod(target: string | number, mode: number, subject?: string): void {
    const result = typeof target === "number"
      ? this.#c.fchmod(target, mode)
      : this.#c.chmod(this.#cPath(target), mode);
    this.libc.check(result, "chmod", subject ?? String(target));
  }

  /** Changes the owner and the group of a path; undefined keeps. */
  chown(path: string, uid: number | undefined, gid: number | undefined): void {
    const keep = 0xffffffff;
    this.libc.check(this.#c.chown(this.#cPath(path), uid ?? keep, gid ?? keep), "chown", path);
  }

  /** Runs `action` under another umask. */
  withUmask<T>(mask: number, action: () => T): T {
    const before = this.#c.umask(mask);
    try {
      return action();
    } finally {
      this.#c.umask(before);
    }
  }

  /** How a descriptor was opened: O.RDONLY, O.WRONLY or O.RDWR; throws for one that is not open. */
  accessMode(fd: number): number {
    return this.libc.check(this.#c.fcntlGet(fd, F_GETFL, 0), "fcntl", `descriptor ${fd}`) & 3;
  }

  /**
   * Takes the record lock (fcntl) on a whole file: the kind that the C program takes too. The
   * process loses it when it closes any descriptor of that file.
   */
  lock(fd: number, subject?: string): LockOutcome {
    const flock = new Uint8Array(flockLayout.size);
    flock[0] = F_WRLCK;
    if (this.#c.fcntlLock(fd, F_SETLK, flock) === 0) return { taken: true };
    const { errno } = this.libc;
    if (errno !== Errno.EAGAIN && errno !== Errno.EACCES) throw this.libc.error("lock", subject);
    return { taken: false, holder: this.lockHolder(fd, subject) ?? UNKNOWN_HOLDER };
  }

  /**
   * The process that holds the record lock on an open file, {@linkcode UNKNOWN_HOLDER} where the
   * kernel cannot tell which it is; undefined where nobody does, we ourselves aside.
   */
  lockHolder(fd: number, subject?: string): number | undefined {
    const flock = new Uint8Array(flockLayout.size);
    flock[0] = F_WRLCK;
    this.libc.check(this.#c.fcntlLock(fd, F_GETLK, flock), "lock", subject);
    if (flock[0] === F_UNLCK) return undefined;
    const pid = new DataView(flock.buffer).getInt32(flockLayout.pid, true);
    return Math.max(UNKNOWN_HOLDER, pid);
  }

  /** Waits for the lock of flock(2) on an open file, which another kind of lock does not see. */
  flock(fd: number, subject?: string): void {
    while (this.#c.flock(fd, LOCK_EX) < 0) {
      if (this.libc.errno !== Errno.EINTR) throw this.libc.error("lock", subject);
    }
  }

  unlock(fd: number): void {
    const flock = new Uint8Array(flockLayout.size);
    flock[0] = F_UNLCK;
    this.#c.fcntlLock(fd, F_SETLK, flock);
  }

  /** An ioctl whose argument is a struct of the caller's. */
  ioctl(fd: number, request: number, argument: Uint8Array<ArrayBuffer>, call: string): number {
    return this.libc.check(this.#c.ioctl(fd, request, argument), call);
  }
}
