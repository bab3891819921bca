// States as files of one directory, with the C program's names: a new state is written beside the
// old one and renamed over it, so that there is a whole state at any moment.
import type { FileStatus } from "../ffi/file_status.ts";
import { type Files, type LockOutcome, O } from "../ffi/files.ts";
import { Errno, SystemError } from "../ffi/libc.ts";
import { Backup } from "./backup.ts";
import { type Backend, STATE_MAX, STATE_NAMES, type StateName } from "./backend.ts";
import { lockedBy, lockRefused, StateError } from "./error.ts";
import { LOCK_NAME, prefixOf, tempPrefixOf } from "./file_names.ts";

/** Mode of state files where the user gave none. */
const MODE_DEFAULT = 0o640;
const LOCK_MODE = 0o660;
const OWNER_WRITE = 0o200;

/** The longest path that the C program's buffers take, less its longest file name. */
const DIRECTORY_MAX = 4096 - 20;

/** The one state of which a backup is kept. */
const BACKED_UP: StateName = "permall";

export interface DirectoryOptions {
  directory: string;
  /** TPM 1.2 and TPM 2 use different names in the same directory. */
  tpm2: boolean;
  /** File mode; with one given the umask does not apply. */
  mode?: number | undefined;
  /** Whether {@linkcode Backend.lock} locks at all. */
  lock: boolean;
  /** The permanent state that a new one replaces stays as `….bak`. */
  backup?: boolean;
  /** A store returns when the state is on the medium. */
  fsync?: boolean;
  /** Told once of what a user should know. */
  report?: (message: string) => void;
}

export class DirectoryBackend implements Backend {
  readonly uri: string;
  readonly #prefix: string;
  readonly #tempPrefix: string;
  readonly #backup: Backup;
  #directory: number | undefined;
  #lock: number | undefined;
  /** The lock went with a directory that is no more; the next access takes it again. */
  #relock = false;
  #prepared = false;
  #inOrder = false;

  constructor(private readonly files: Files, private readonly options: DirectoryOptions) {
    this.uri = `dir://${options.directory}`;
    this.#prefix = prefixOf(options.tpm2);
    this.#tempPrefix = tempPrefixOf(options.tpm2);
    this.#backup = new Backup(files, this.#prefix + BACKED_UP);
  }

  nameOf(name: StateName): string {
    return `'${this.#path(this.#prefix + name)}'`;
  }

  prepare(): void {
    const { directory } = this.options;
    if (new TextEncoder().encode(directory).length > DIRECTORY_MAX) {
      throw new StateError(`the path of the state directory '${directory}' is too long`);
    }
    this.#followPath();
    if (this.#prepared) return;
    this.#prepared = true;
    this.#warnOfOtherVersion();
  }

  load(name: StateName): Uint8Array<ArrayBuffer> | undefined {
    const file = this.#prefix + name;
    // Opening a pipe without a writer would wait for one.
    const fd = this.#ifThere(() => this.#open(file, O.RDONLY | O.NONBLOCK));
    if (fd === undefined) return undefined;
    try {
      const path = this.#path(file);
      const { kind, mode, size, isMount } = this.files.status(fd, path);
      if (kind !== "file") throw new StateError(`'${path}' is a ${kind}, not a regular file`);
      if (isMount) throw this.#mounted(path);
      if (size > STATE_MAX) {
        throw new StateError(
          `'${path}' has ${size} bytes, more than the ${STATE_MAX} that a TPM state can have`,
        );
      }
      const bytes = this.files.readAll(fd, size, path);
      if (this.locked) this.#mendMode(fd, mode & 0o777, path);
      return bytes;
    } finally {
      this.files.close(fd);
    }
  }

  store(name: StateName, bytes: Uint8Array<ArrayBuffer>): void {
    try {
      this.#replace(name, bytes);
    } catch (error) {
      if (!isErrno(error, Errno.ENOENT)) throw error;
      // The directory may have been removed and made again under the same path.
      this.#forgetDirectory();
      this.#replace(name, bytes);
    }
  }

  #replace(name: StateName, bytes: Uint8Array<ArrayBuffer>): void {
    const temp = this.#tempPrefix + name;
    const file = this.#prefix + name;
    const directory = this.#owned();
    const { backup, fsync } = this.options;
    try {
      this.#write(temp, bytes);
      if (backup && name === BACKED_UP) this.#backup.replace(temp, directory);
      else this.files.rename(temp, file, directory);
    } catch (error) {
      this.#discard(temp);
      if (isErrno(error, Errno.EBUSY)) throw this.#mounted(this.#path(file), error);
      throw this.#named(error, temp);
    }
    // Only now: the directory's change is the rename.
    if (fsync) this.#syncDirectory(directory);
  }

  /** A new state takes the old one's name, which a mount does not give up. */
  #mounted(path: string, cause?: unknown): StateError {
    return new StateError(
      `'${path}' is a mount of its own, so that no new state can take its place. Mount the ` +
        `directory '${this.options.directory}' instead, or keep the state in one file, which is ` +
        `written in place: --tpmstate backend-uri=file://PATH, with an empty file at first`,
      { cause },
    );
  }

  #write(temp: string, bytes: Uint8Array<ArrayBuffer>): void {
    const { mode, fsync } = this.options;
    const flags = O.WRONLY | O.CREAT | O.TRUNC | O.NOFOLLOW;
    const fd = this.files.open(temp, flags, mode ?? MODE_DEFAULT, this.#directoryFd());
    let open = true;
    try {
      // Past the umask, which does not apply to a mode that was asked for.
      if (mode !== undefined) this.files.chmod(fd, mode, temp);
      this.files.write(fd, bytes, temp);
      if (fsync) this.files.fsync(fd, temp);
      open = false;
      this.files.finish(fd, temp);
    } finally {
      if (open) this.files.close(fd);
    }
  }

  #syncDirectory(directory: number): void {
    try {
      this.files.fsync(directory, this.options.directory);
    } catch (error) {
      // A file system that knows no such thing has nothing to sync.
      if (!isErrno(error, Errno.EINVAL)) throw error;
    }
  }

  swapBackup(): boolean {
    return this.options.backup === true && this.#backup.swap(this.#owned());
  }

  remove(name: StateName): boolean {
    return this.#ifThere(() => this.files.unlink(this.#prefix + name, this.#owned())) ?? false;
  }

  size(name: StateName): number | undefined {
    const file = this.#prefix + name;
    const status = this.#statusOf(file) ?? this.#statusOfBackup(name);
    if (status === undefined) return undefined;
    if (status.kind !== "file") {
      throw new StateError(`'${this.#path(file)}' is a ${status.kind}, not a regular file`);
    }
    return status.size;
  }

  get locked(): boolean {
    return this.#lock !== undefined || this.#relock || !this.options.lock;
  }

  /** Also where no lock is asked for: from now on the states are ours to replace. */
  lock(): void {
    if (this.#relock) this.#directoryFd();
    else if (!this.locked) this.#takeLock();
    if (this.#inOrder) return;
    if (this.#lock !== undefined) this.#tidy();
    this.#restoreMissing();
    this.#inOrder = true;
  }

  /** The directory to write to, locked. */
  #owned(): number {
    if (!this.#inOrder || !this.locked) this.lock();
    return this.#directoryFd();
  }

  #takeLock(): void {
    const path = this.#path(LOCK_NAME);
    const flags = O.WRONLY | O.CREAT | O.TRUNC | O.NOFOLLOW;
    let fd: number;
    try {
      fd = this.#open(LOCK_NAME, flags, LOCK_MODE);
    } catch (cause) {
      throw new StateError(
        `SWTPM_NVRAM_Lock_Dir: Could not open lockfile: ${(cause as Error).message}`,
        { cause },
      );
    }
    let outcome: LockOutcome;
    try {
      outcome = this.files.lock(fd, path);
    } catch (error) {
      this.files.close(fd);
      throw lockRefused(error, path, `dir=${this.options.directory},lock=false`);
    }
    if (!outcome.taken) {
      this.files.close(fd);
      // The words up to the second colon are what scripts look for in the C program's log.
      throw new StateError(
        `SWTPM_NVRAM_Lock_Dir: Could not lock access to lockfile: ` +
          `${this.files.libc.strerror(Errno.EAGAIN)}: '${path}' ${lockedBy(outcome.holder)}`,
      );
    }
    this.#lock = fd;
  }

  unlock(): void {
    this.#relock = false;
    this.#closeLock();
  }

  #closeLock(): void {
    if (this.#lock !== undefined) this.files.close(this.#lock);
    this.#lock = undefined;
  }

  close(): void {
    this.unlock();
    this.#forgetDirectory();
  }

  #restoreMissing(): void {
    if (!this.options.backup || !this.#backup.restoreMissing(this.#directoryFd())) return;
    this.options.report?.(
      `There was no ${this.nameOf(BACKED_UP)}; its backup '${this.#backup.name}' takes its place`,
    );
  }

  /** What will take the place of a missing state as soon as it is ours to do that. */
  #statusOfBackup(name: StateName): FileStatus | undefined {
    if (name !== BACKED_UP || !this.options.backup) return undefined;
    return this.#statusOf(this.#backup.name);
  }

  /** A forgotten --tpm2 would otherwise look like a TPM that lost everything. */
  #warnOfOtherVersion(): void {
    if (this.options.tpm2 || this.options.report === undefined) return;
    const other = prefixOf(true) + BACKED_UP;
    if (this.#statusOf(other) === undefined || this.size(BACKED_UP) !== undefined) return;
    this.options.report(
      `Warning: '${this.options.directory}' holds the state of a TPM 2 and none of a TPM 1.2; ` +
        `a new TPM 1.2 is made beside it. Was the option --tpm2 forgotten?`,
    );
  }

  /** Removes what a killed process left half-written; only the holder of the lock may. */
  #tidy(): void {
    for (const name of STATE_NAMES) this.#discard(this.#tempPrefix + name);
  }

  #discard(temp: string): void {
    try {
      this.files.unlink(temp, this.#directoryFd());
    } catch {
      // It is only rubbish: the error that made it so, or the next store's, is the one to report.
    }
  }

  /** A file must be as the user wants it, and writable for the next process that opens it. */
  #mendMode(fd: number, mode: number, path: string): void {
    const writable = (mode & OWNER_WRITE) === 0 ? MODE_DEFAULT : mode;
    const wanted = this.options.mode ?? writable;
    if (mode !== wanted) this.files.chmod(fd, wanted, path);
  }

  #open(name: string, flags: number, mode = 0): number {
    try {
      return this.files.open(name, flags, mode, this.#directoryFd());
    } catch (error) {
      throw this.#named(error, name);
    }
  }

  /** The directory is opened once; a relative path keeps its meaning when the process moves. */
  #directoryFd(): number {
    if (this.#directory !== undefined) return this.#directory;
    // To sync a directory one must be able to read it.
    const way = this.options.fsync ? O.RDONLY : O.PATH;
    this.#directory = this.files.open(this.options.directory, way | O.DIRECTORY);
    if (this.#relock) this.#lockAgain();
    return this.#directory;
  }

  /** The lock belongs to the directory: without it there, nothing is stored there. */
  #lockAgain(): void {
    try {
      this.#takeLock();
      this.#relock = false;
    } catch (error) {
      this.#forgetDirectory();
      throw error;
    }
  }

  /** Lets go of the directory; one that is opened later is locked if this one was. */
  #forgetDirectory(): void {
    if (this.#directory !== undefined) this.files.close(this.#directory);
    this.#directory = undefined;
    this.#relock ||= this.#lock !== undefined;
    this.#closeLock();
  }

  /** Goes on with another directory that has come under the same path meanwhile. */
  #followPath(): void {
    if (this.#directory === undefined) return;
    let named: FileStatus | undefined;
    try {
      named = this.files.statusOf(this.options.directory);
    } catch {
      return; // The path may be out of reach by now; the open directory is not.
    }
    if (named === undefined) return;
    if (named.identity !== this.files.status(this.#directory).identity) this.#forgetDirectory();
  }

  #path(name: string): string {
    return `${this.options.directory}/${name}`;
  }

  /** The same error, about the whole path. */
  #named(error: unknown, name: string): unknown {
    if (!(error instanceof SystemError) || error.subject !== name) return error;
    return new SystemError(error.call, error.errno, error.code, error.reason, this.#path(name));
  }

  #statusOf(name: string): FileStatus | undefined {
    return this.#ifThere(() => this.files.statusOf(name, this.#directoryFd()));
  }

  #ifThere<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (isErrno(error, Errno.ENOENT)) return undefined;
      throw error;
    }
  }
}

function isErrno(error: unknown, errno: number): boolean {
  return error instanceof SystemError && error.errno === errno;
}
