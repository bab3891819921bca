// A file that is there whole or, when something fails, as it was before.
import type { FileStatus } from "../../ffi/file_status.ts";
import { type Files, O } from "../../ffi/files.ts";
import { Errno, SystemError } from "../../ffi/libc.ts";

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

  constructor(private readonly files: Files, private readonly path: string) {
    const there = files.statusOf(path);
    if (there === undefined && files.linkStatusOf(path) === undefined) {
      files.close(files.open(path, O.WRONLY | O.CREAT | O.EXCL, MODE));
      files.unlink(path);
      return;
    }
    // A symbolic link that leads to nothing leads to where the file will be.
    const fd = files.open(path, O.WRONLY | O.CREAT, MODE);
    if (there?.kind === "file") {
      files.close(fd);
      this.#there = there;
    } else {
      this.#special = fd;
    }
  }

  write(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#special !== undefined) this.files.write(this.#special, bytes, this.path);
    else if (!this.#replaced(bytes)) this.#overwrite(bytes);
  }

  [Symbol.dispose](): void {
    if (this.#special !== undefined) this.files.close(this.#special);
  }

  /** False where nothing can be made beside an existing file. */
  #replaced(bytes: Uint8Array<ArrayBuffer>): boolean {
    const { files, path } = this;
    const there = this.#there;
    const target = there === undefined ? path : Deno.realPathSync(path);
    const folder = target.slice(0, target.lastIndexOf("/") + 1);
    const unfinished = `${folder}.swtpm-${Deno.pid}`;
    try {
      // Who was killed has left it, and in a container the next one has the same number.
      files.unlink(unfinished);
      const fd = files.open(unfinished, O.WRONLY | O.CREAT | O.EXCL, MODE);
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

  #overwrite(bytes: Uint8Array<ArrayBuffer>): void {
    const fd = this.files.open(this.path, O.WRONLY | O.TRUNC);
    try {
      this.files.write(fd, bytes, this.path);
    } finally {
      this.files.finish(fd, this.path);
    }
  }
}
