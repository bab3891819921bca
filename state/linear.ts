// States one behind the other in a single file or block device, behind a header with a table of
// them: the C program's format, readable and writable by it. A new state goes into free space;
// writing the header, which fits in one sector, then replaces the old one at one stroke. What the C
// program asks of a table is linear_table.ts' affair.
import { type Files, type LockOutcome, O } from "../ffi/files.ts";
import { Errno, SystemError } from "../ffi/libc.ts";
import { TpmResult } from "../wire/codes.ts";
import { type Backend, STATE_MAX, type StateName } from "./backend.ts";
import { lockedBy, lockRefused, StateError } from "./error.ts";
import {
  emptyHeader,
  endOfSections,
  entryOf,
  freeOffset,
  hasMagic,
  type LinearHeader,
  linearHeader,
  mayBeDamaged,
  readHeader,
  roomFor,
  withEntry,
  withoutGaps,
} from "./linear_table.ts";

/** Mode of a new file where the user gave none. */
const MODE_DEFAULT = 0o640;

export interface LinearOptions {
  path: string;
  /** Mode of the file; with one given the umask does not apply. */
  mode?: number | undefined;
  /** Whether {@linkcode Backend.lock} locks at all. */
  lock: boolean;
  /** Only to look at: the file is neither made nor formatted, and cannot be stored to. */
  readOnly?: boolean;
  /** Told once of what a user should know. */
  report?: (message: string) => void;
}

export class LinearBackend implements Backend {
  readonly uri: string;
  readonly #path: string;
  #fd: number | undefined;
  /** Size of a device, which cannot grow; undefined for a file. */
  #deviceSize: number | undefined;
  #held = false;
  /**
   * The header on the medium may be another one than the one that is read, after a failed store of
   * this process or an earlier one. Until it is settled, what it points to must stay as it is.
   */
  #unsettled = true;

  constructor(private readonly files: Files, private readonly options: LinearOptions) {
    this.#path = options.path;
    this.uri = `file://${options.path}`;
  }

  nameOf(name: StateName): string {
    return `the state '${name}' in '${this.#path}'`;
  }

  prepare(): void {
    if (this.#fd !== undefined && this.files.status(this.#fd).links > 0) return;
    const held = this.#held;
    this.close();
    this.#open();
    if (held) this.lock();
  }

  load(name: StateName): Uint8Array<ArrayBuffer> | undefined {
    const fd = this.#fd;
    if (fd === undefined) return undefined;
    const entry = entryOf(this.#readHeader(fd), name);
    if (entry === undefined) return undefined;
    const { offset, dataLength } = entry;
    if (dataLength > STATE_MAX) {
      throw new StateError(
        `${this.nameOf(name)} has ${dataLength} bytes, more than the ${STATE_MAX} that a TPM ` +
          `state can have`,
      );
    }
    const bytes = new Uint8Array(dataLength);
    const count = this.files.readAt(fd, bytes, offset, this.#path);
    if (count < dataLength) {
      throw new StateError(
        `${this.nameOf(name)} is cut short: of its ${dataLength} bytes there are ${count}`,
      );
    }
    return bytes;
  }

  store(name: StateName, bytes: Uint8Array<ArrayBuffer>): void {
    const fd = this.#owned();
    const before = this.#readHeader(fd);
    const sectionLength = roomFor(bytes.length);
    const offset = freeOffset(before, sectionLength);
    const sizeBefore = this.#reserve(fd, offset + sectionLength);
    try {
      this.files.writeAt(fd, bytes, offset, this.#path);
      this.files.fdatasync(fd, this.#path);
    } catch (error) {
      this.#giveBack(fd, sizeBefore);
      throw error;
    }
    const entry = { offset, dataLength: bytes.length, sectionLength };
    this.#commit(fd, before, withEntry(before, name, entry));
  }

  remove(name: StateName): boolean {
    const fd = this.#owned();
    const before = this.#readHeader(fd);
    if (entryOf(before, name) === undefined) return false;
    const after = withEntry(before, name, undefined);
    this.#commit(fd, before, after);
    this.#giveBack(fd, endOfSections(after));
    return true;
  }

  size(name: StateName): number | undefined {
    if (this.#fd === undefined) return undefined;
    return entryOf(this.#readHeader(this.#fd), name)?.dataLength;
  }

  swapBackup(): boolean {
    return false;
  }

  get locked(): boolean {
    return this.#held || !this.options.lock || this.#fd === undefined;
  }

  /** Also where no lock is asked for: from now on the file is ours to write to. */
  lock(): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    if (!this.locked) this.#takeLock(fd);
    this.#mendMode(fd);
    this.#settle(fd);
  }

  #takeLock(fd: number): void {
    let outcome: LockOutcome;
    try {
      outcome = this.files.lock(fd, this.#path);
    } catch (error) {
      throw lockRefused(error, this.#path, `backend-uri=${this.uri}, without 'lock',`);
    }
    if (!outcome.taken) {
      throw new StateError(
        `Could not lock access to '${this.uri}': ${this.files.libc.strerror(Errno.EAGAIN)}: ` +
          `it ${lockedBy(outcome.holder)}`,
      );
    }
    this.#held = true;
    this.#unsettled = true; // by whoever had it before
  }

  unlock(): void {
    if (this.#held && this.#fd !== undefined) this.#letGo(this.#fd);
  }

  #letGo(fd: number): void {
    this.files.unlock(fd);
    this.#held = false;
  }

  close(): void {
    if (this.#fd !== undefined) this.files.close(this.#fd);
    this.#fd = undefined;
    this.#held = false;
    this.#unsettled = true;
  }

  #open(): void {
    const fd = this.#openPath();
    try {
      this.#deviceSize = this.#deviceSizeOf(fd);
      if (!hasMagic(this.#readHead(fd))) {
        if (this.options.readOnly) throw this.#notOurs();
        this.#format(fd);
      }
      this.#readHeader(fd);
      this.#fd = fd;
    } finally {
      if (this.#fd === undefined) {
        this.files.close(fd);
        this.#held = false;
      }
    }
  }

  /** Opens the file, which is made where there is none and it may be. */
  #openPath(): number {
    const way = this.options.readOnly ? O.RDONLY | O.NONBLOCK : O.RDWR;
    const made = this.options.readOnly ? 0 : O.CREAT;
    try {
      const flags = way | made | O.NOFOLLOW;
      return this.files.open(this.#path, flags, this.options.mode ?? MODE_DEFAULT);
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== "ELOOP") throw error;
    }
    // Whoever can put a link in the place of a file could lead this process to any file. Devices
    // have their usual names as links (/dev/disk/by-id, LVM).
    const fd = this.files.open(this.#path, way);
    if (this.files.status(fd, this.#path).kind === "block") return fd;
    this.files.close(fd);
    throw new StateError(`'${this.#path}' is a symbolic link, which must lead to a block device`);
  }

  /** Size of a device, undefined for a file. */
  #deviceSizeOf(fd: number): number | undefined {
    const { kind } = this.files.status(fd, this.#path);
    if (kind === "file") return undefined;
    if (kind !== "block") {
      throw new StateError(`'${this.#path}' is a ${kind}, not a file or a block device`);
    }
    const size = this.files.deviceSize(fd, this.#path);
    if (size < linearHeader.size) {
      throw new StateError(`the device '${this.#path}' has only ${size} bytes`);
    }
    return size;
  }

  #mendMode(fd: number): void {
    const { mode } = this.options;
    if (mode === undefined || (this.files.status(fd, this.#path).mode & 0o777) === mode) return;
    this.files.chmod(fd, mode, this.#path);
  }

  /**
   * Makes a new file or device ready for states; never where that could destroy some. Who only looks
   * does that, too (swtpm_setup relies on it), and gives the lock back.
   */
  #format(fd: number): void {
    if (this.options.lock) this.#takeLock(fd);
    const head = this.#readHead(fd);
    if (!hasMagic(head)) this.#formatBlank(fd, head); // else another process has done so meanwhile
    if (this.#held) this.#letGo(fd);
  }

  #formatBlank(fd: number, head: Uint8Array): void {
    const blank = head.every((byte) => byte === 0);
    // A device may hold anything before it is put to use; a file was made for what it holds.
    if (!blank && (this.#deviceSize === undefined || mayBeDamaged(head))) {
      throw this.#notOurs(
        `. To use it nevertheless, overwrite its first ${linearHeader.size} bytes with zeros`,
      );
    }
    this.options.report?.(
      `Formatting '${this.uri}' for TPM state${blank ? "" : ", over what it held"}`,
    );
    if (head.length < linearHeader.size) this.files.truncate(fd, linearHeader.size, this.#path);
    this.#writeHeader(fd, emptyHeader());
    this.files.fdatasync(fd, this.#path);
    if (this.#deviceSize === undefined) this.#syncDirectory();
  }

  #notOurs(hint = ""): StateError {
    return new StateError(
      `'${this.#path}' does not begin with the header of a state file: it is damaged, or holds ` +
        `something else${hint}`,
    );
  }

  /** A new file outlives a power cut only with its name. */
  #syncDirectory(): void {
    const end = this.#path.lastIndexOf("/");
    const directory = end < 0 ? "." : this.#path.slice(0, end) || "/";
    try {
      const fd = this.files.open(directory, O.RDONLY | O.DIRECTORY);
      this.files.fsync(fd, directory);
      this.files.close(fd);
    } catch {
      // Not every user may read the directory, and not every file system can; nor must it be.
    }
  }

  /** The file to write to, locked and settled. */
  #owned(): number {
    if (this.#fd === undefined) throw new StateError(`'${this.#path}' is not open`);
    if (this.#unsettled || !this.locked) this.lock();
    return this.#fd;
  }

  get #what(): string {
    return `'${this.#path}'`;
  }

  /** Read each time: until it is locked, another process may have changed it. */
  #readHeader(fd: number): LinearHeader {
    const head = this.#readHead(fd);
    const size = this.#deviceSize ?? this.files.status(fd, this.#path).size;
    if (hasMagic(head)) return readHeader(head, size, this.#what);
    throw new StateError(`'${this.#path}' has lost its header since it was opened`);
  }

  /** The bytes of the header, fewer of a shorter file. */
  #readHead(fd: number): Uint8Array {
    const bytes = new Uint8Array(linearHeader.size);
    return bytes.subarray(0, this.files.readAt(fd, bytes, 0, this.#path));
  }

  #writeHeader(fd: number, header: LinearHeader): void {
    this.files.writeAt(fd, linearHeader.encode(header), 0, this.#path);
  }

  /** Makes sure that there are `end` bytes; returns the size before, undefined for a device. */
  #reserve(fd: number, end: number): number | undefined {
    if (this.#deviceSize !== undefined) {
      if (end <= this.#deviceSize) return undefined;
      throw new StateError(
        `the device '${this.#path}' is too small: it has ${this.#deviceSize} bytes and would ` +
          `need ${end}, as a new state is written beside the old one`,
        { result: TpmResult.SIZE },
      );
    }
    const { size, links } = this.files.status(fd, this.#path);
    if (links === 0) {
      throw new StateError(`'${this.#path}' was removed; what is stored there would be lost`);
    }
    // The C program maps whole sections.
    if (size < end) this.files.truncate(fd, end, this.#path);
    return size;
  }

  /** Shortens a file again, where that can be done: it is only about space. */
  #giveBack(fd: number, size: number | undefined): void {
    if (size === undefined || this.#deviceSize !== undefined) return;
    try {
      this.files.truncate(fd, size, this.#path);
    } catch {
      // Longer than needed is no harm.
    }
  }

  /** Has the header that is read be the one on the medium, without the gaps of earlier versions. */
  #settle(fd: number): void {
    if (!this.#unsettled) return;
    this.#writeHeader(fd, withoutGaps(this.#readHeader(fd)));
    this.files.fdatasync(fd, this.#path);
    this.#unsettled = false;
  }

  /** Has `after` replace `before`, or leaves `before` in force. */
  #commit(fd: number, before: LinearHeader, after: LinearHeader): void {
    try {
      this.#writeHeader(fd, after);
      this.files.fdatasync(fd, this.#path);
    } catch (error) {
      this.#unsettled = true;
      try {
        this.#writeHeader(fd, before);
      } catch {
        // The first failure is the one to report; a whole state is in force either way.
      }
      throw error;
    }
  }
}
