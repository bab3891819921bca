// The file with the process id, removed at every end once it was written, as long as it is still the
// file that we wrote. When it is written is the start's affair.
import { O } from "../../ffi/files.ts";
import { openPatiently } from "../../ffi/patient_open.ts";
import type { DaemonConfig } from "../config.ts";
import type { System } from "../system.ts";

const FILE_MODE = 0o644;
const FLAGS = O.WRONLY | O.CREAT | O.TRUNC | O.NOFOLLOW;

export class PidFile {
  /** Found out at once: the descriptor is closed when the file was written. */
  readonly #path: string;
  /** The file that we wrote; undefined for what is no file, such as a device or a pipe. */
  #written: string | undefined;

  constructor(
    private readonly system: Pick<System, "files" | "process">,
    private readonly config: NonNullable<DaemonConfig["pid"]>,
  ) {
    const path = "file" in config ? config.file : system.process.targetOf(config.fd);
    if (path === undefined) throw new Error("the descriptor for the pid file has no path");
    this.#path = path;
  }

  /** Writes our process id, where a pipe is named when that is read; a passed descriptor is closed. */
  async write(): Promise<void> {
    const { files } = this.system;
    try {
      const fd = "file" in this.config
        ? await openPatiently(files, this.config.file, FLAGS, FILE_MODE)
        : this.config.fd;
      try {
        const { kind, identity } = files.status(fd);
        if (kind === "file") this.#written = identity;
        files.write(fd, new TextEncoder().encode(String(Deno.pid)));
      } finally {
        files.close(fd);
      }
    } catch (error) {
      throw new Error(`Could not write the pid file '${this.#path}': ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  remove(): void {
    const { files } = this.system;
    try {
      // A link that somebody has put there has another identity than what it leads to.
      if (
        this.#written !== undefined && files.linkStatusOf(this.#path)?.identity === this.#written
      ) {
        files.unlink(this.#path);
      }
    } catch {
      // After a change of user or root it may be out of reach; the C program leaves it then, too.
    }
  }
}
