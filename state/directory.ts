// States as files of one directory, with the C program's names: a new state is written beside the
// old one and renamed over it, so that there is a whole state at any moment.
import { AT_FDCWD, type Files, O } from "../ffi/files.ts";
import { Errno, SystemError } from "../ffi/libc.ts";
import { type Backend, STATE_MAX, STATE_NAMES, type StateName } from "./backend.ts";
import { StateError } from "./error.ts";

/** Mode of state files where the user gave none. */
const MODE_DEFAULT = 0o640;
const LOCK_NAME = ".lock";
const LOCK_MODE = 0o660;
const OWNER_WRITE = 0o200;

/** The longest path that the C program's buffers take, less its longest file name. */
const DIRECTORY_MAX = 4096 - 20;

export interface DirectoryOptions {
  directory: string;
  /** TPM 1.2 and TPM 2 use different names in the same directory. */
  tpm2: boolean;
  /** File mode; with one given the umask does not apply. */
  mode?: number | undefined;
  /** Whether {@linkcode Backend.lock} locks at all. */
  lock: boolean;
}

export class DirectoryBackend implements Backend {
  readonly uri: string;
  readonly #prefix: string;
  readonly #tempPrefix: string;
  #directory: number | undefined;
  #lock: number | undefined;
  #tidied = false;

  constructor(private readonly files: Files, private readonly options: DirectoryOptions) {
    this.uri = `dir://${options.directory}`;
    this.#prefix = options.tpm2 ? "tpm2-00." : "tpm-00.";
    this.#tempPrefix = options.tpm2 ? "TMP2-00." : "TMP-00.";
  }

  prepare(): void {
    const { directory } = this.options;
    if (new TextEncoder().encode(directory).length > DIRECTORY_MAX) {
      throw new StateError(`the path of the state directory '${directory}' is too long`);
    }
  }

  load(name: StateName): Uint8Array<ArrayBuffer> | undefined {
    const file = this.#prefix + name;
    const fd = this.#ifThere(() => this.#open(file, O.RDONLY));
    if (fd === undefined) return undefined;
    try {
      const path = this.#path(file);
      const { kind, mode, size } = this.files.status(fd, path);
      if (kind !== "file") throw new StateError(`'${path}' is a ${kind}, not a regular file`);
      if (size > STATE_MAX) {
        throw new StateError(
          `'${path}' has ${size} bytes, more than the ${STATE_MAX} that a TPM state can have`,
        );
      }
      const bytes = this.files.readAll(fd, size, path);
      this.#mendMode(fd, mode & 0o777, path);
      return bytes;
    } finally {
      this.files.close(fd);
    }
  }

  store(name: StateName, bytes: Uint8Array<ArrayBuffer>): void {
    try {
      this.#replace(name, bytes);
    } catch (error) {
      // The directory may have been removed and made again under the same path.
      if (!isErrno(error, Errno.ENOENT)) throw error;
      this.#forgetDirectory();
      this.#replace(name, bytes);
    }
  }

  #replace(name: StateName, bytes: Uint8Array<ArrayBuffer>): void {
    const temp = this.#tempPrefix + name;
    const directory = this.#directoryFd();
    try {
      const fd = this.#create(temp);
      try {
        this.files.write(fd, bytes, this.#path(temp));
      } finally {
        this.files.close(fd);
      }
      this.files.rename(temp, this.#prefix + name, directory);
    } catch (error) {
      this.#discard(temp);
      throw error;
    }
  }

  remove(name: StateName): boolean {
    return this.#ifThere(() => this.files.unlink(this.#prefix + name, this.#directoryFd())) ??
      false;
  }

  size(name: StateName): number | undefined {
    const file = this.#prefix + name;
    const status = this.#ifThere(() => this.files.statusOf(file, this.#directoryFd()));
    if (status === undefined) return undefined;
    if (status.kind !== "file") {
      throw new StateError(`'${this.#path(file)}' is a ${status.kind}, not a regular file`);
    }
    return status.size;
  }

  get locked(): boolean {
    return this.#lock !== undefined || !this.options.lock;
  }

  lock(): void {
    if (this.locked) return;
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
    const outcome = this.files.lock(fd, path);
    if (!outcome.taken) {
      this.files.close(fd);
      const who = outcome.holder > 0 ? `process ${outcome.holder}` : "another process";
      // The words up to the colon are what scripts look for in the C program's log.
      throw new StateError(
        `SWTPM_NVRAM_Lock_Dir: Could not lock access to lockfile: ` +
          `${this.files.libc.strerror(Errno.EAGAIN)}: ` +
          `'${path}' is locked by ${who}; is another TPM running in that directory?`,
      );
    }
    this.#lock = fd;
    this.#tidy();
  }

  unlock(): void {
    if (this.#lock === undefined) return;
    this.files.close(this.#lock);
    this.#lock = undefined;
  }

  close(): void {
    this.unlock();
    this.#forgetDirectory();
  }

  /** Removes what a killed process left half-written; only the holder of the lock may. */
  #tidy(): void {
    if (this.#tidied) return;
    this.#tidied = true;
    for (const name of STATE_NAMES) this.#discard(this.#tempPrefix + name);
  }

  #discard(temp: string): void {
    try {
      this.files.unlink(temp, this.#directoryFd());
    } catch {
      // It is only rubbish: the error that made it so, or the next store's, is the one to report.
    }
  }

  #create(temp: string): number {
    const flags = O.WRONLY | O.CREAT | O.TRUNC | O.NOFOLLOW;
    const { mode } = this.options;
    if (mode === undefined) return this.#open(temp, flags, MODE_DEFAULT);
    return this.files.withUmask(0, () => this.#open(temp, flags, mode));
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
    return this.#directory ??= this.files.open(
      this.options.directory,
      O.RDONLY | O.DIRECTORY,
      0,
      AT_FDCWD,
    );
  }

  #forgetDirectory(): void {
    if (this.#directory !== undefined) this.files.close(this.#directory);
    this.#directory = undefined;
  }

  #path(name: string): string {
    return `${this.options.directory}/${name}`;
  }

  /** The same error, about the whole path. */
  #named(error: unknown, name: string): unknown {
    if (!(error instanceof SystemError) || error.subject !== name) return error;
    return new SystemError(error.call, error.errno, error.code, error.reason, this.#path(name));
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
