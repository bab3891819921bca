// A file that is there whole or, when something fails, as it was before.
import type { FileStatus } from "./file_status.ts";
import { type Files, O } from "./files.ts";
import { Errno, SystemError } from "./libc.ts";

/** Of a file that is made, where nothing else is said. */
const MODE = 0o600;

/** Why no other file can be made beside one that may be written to. */
const NOT_BESIDE: readonly number[] = [Errno.EACCES, Errno.EPERM, Errno.EROFS];

/**
 * What will be in a file. Its calls throw SystemError, the first of them where the file could not be
 * written to.
 */
export class WholeFile implements Disposable {
  /** The regular file that is replaced, whose mode and owner stay. */
  readonly #there: FileStatus | undefined;
  /** A terminal, a pipe, whatever is not replaced. */
  readonly #special: number | undefined;

  /** `mode` is that of a file that is made. */
  constructor(
    private readonly files: Files,
    private readonly path: string,
    private readonly mode = MODE,
  ) {
    const there = files.statusOf(path);
    if (there === undefined && files.linkStatusOf(path) === undefined) {
      // Whoever looks for the file is to find it whole or not at all.
      files.close(this.#make(unfinishedBeside(path)));
      files.unlink(unfinishedBeside(path));
      return;
    }
    // A symbolic link that leads to nothing leads to where the file will be.
    const fd = files.open(path, O.WRONLY | O.CREAT, mode);
    if (there?.kind === "file") {
      files.close(fd);
      this.#there = there;
    } else {
      this.#special = fd;
    }
  }

  write(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#special !== undefined) this.files.write(this.#special, bytes, this.path);
    else if (!this.#replaced(bytes)) this.files.overwrite(this.path, bytes, this.mode);
  }

  [Symbol.dispose](): void {
    if (this.#special !== undefined) this.files.close(this.#special);
  }

  /** False where nothing can be made beside an existing file. */
  #replaced(bytes: Uint8Array<ArrayBuffer>): boolean {
    const { files, path } = this;
    const there = this.#there;
    const target = there === undefined ? path : Deno.realPathSync(path);
    const unfinished = unfinishedBeside(target);
    try {
      const fd = this.#make(unfinished);
      try {
        if (there !== undefined) this.#takeAfter(there, unfinished, fd);
        files.write(fd, bytes, path);
        files.fdatasync(fd, path);
      } finally {
        files.finish(fd, path);
      }
      files.rename(unfinished, target);
      return true;
    } catch (error) {
      files.unlink(unfinished);
      const isRefused = error instanceof SystemError && NOT_BESIDE.includes(error.errno);
      if (there !== undefined && isRefused) return false;
      throw error;
    }
  }

  #takeAfter({ uid, gid, mode }: FileStatus, path: string, fd: number): void {
    const made = this.files.status(fd, path);
    if (made.uid !== uid || made.gid !== gid) this.files.chown(path, uid, gid);
    this.files.chmod(fd, mode, path);
  }

  #make(unfinished: string): number {
    // Who was killed has left it, and in a container the next one has the same number.
    this.files.unlink(unfinished);
    return this.files.open(unfinished, O.WRONLY | O.CREAT | O.EXCL, this.mode);
  }
}

function unfinishedBeside(path: string): string {
  return `${path.slice(0, path.lastIndexOf("/") + 1)}.swtpm-${Deno.pid}`;
}

/** Puts a file in place whole. Throws SystemError, and what was there stays. */
export function putWhole(
  files: Files,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  mode: number,
): void {
  using file = new WholeFile(files, path, mode);
  file.write(bytes);
}
