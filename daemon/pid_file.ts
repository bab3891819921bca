// The file with the process id: removed at every end, also where the start failed before it was
// written, as the C program does. When it is written is the start's affair.
import { O } from "../ffi/files.ts";
import type { DaemonConfig } from "./config.ts";
import type { System } from "./system.ts";

const FILE_MODE = 0o644;

export class PidFile {
  /** Found out at once: the descriptor is closed when the file was written. */
  readonly #path: string;

  constructor(
    private readonly system: Pick<System, "files" | "process">,
    private readonly config: NonNullable<DaemonConfig["pid"]>,
  ) {
    const path = "file" in config ? config.file : system.process.targetOf(config.fd);
    if (path === undefined) throw new Error("the descriptor for the pid file has no path");
    this.#path = path;
  }

  /** Writes our process id; a passed descriptor is closed. */
  write(): void {
    const { files } = this.system;
    try {
      const fd = "file" in this.config
        ? files.open(this.config.file, O.WRONLY | O.CREAT | O.TRUNC | O.NOFOLLOW, FILE_MODE)
        : this.config.fd;
      try {
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
    try {
      this.system.files.unlink(this.#path);
    } catch {
      // After a change of user or root it may be out of reach; the C program leaves it then, too.
    }
  }
}
