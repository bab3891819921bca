// The file with the process id: written before the TPM starts, removed at every end.
import { O } from "../ffi/files.ts";
import type { DaemonConfig } from "./config.ts";
import type { System } from "./system.ts";

const FILE_MODE = 0o644;

/** Writes our process id; a passed descriptor is closed. Returns what removes the file. */
export function writePidFile(
  system: System,
  config: NonNullable<DaemonConfig["pid"]>,
): () => void {
  const { files } = system;
  const path = pathOf(system, config);
  const fd = "file" in config
    ? files.open(config.file, O.WRONLY | O.CREAT | O.TRUNC | O.NOFOLLOW, FILE_MODE)
    : config.fd;
  try {
    files.write(fd, new TextEncoder().encode(String(Deno.pid)), path);
  } catch (error) {
    throw new Error(`Could not write the pid file '${path}': ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    files.close(fd);
  }
  return () => remove(system, path);
}

/** Removes the file of a process that ends before it wrote it, as the C program does. */
export function removePidFile(system: System, config: NonNullable<DaemonConfig["pid"]>): void {
  remove(system, pathOf(system, config));
}

function pathOf({ process }: System, config: NonNullable<DaemonConfig["pid"]>): string {
  if ("file" in config) return config.file;
  const path = process.targetOf(config.fd);
  if (path === undefined) throw new Error(`descriptor ${config.fd} for the pid file has no path`);
  return path;
}

function remove({ files }: System, path: string): void {
  try {
    files.unlink(path);
  } catch {
    // After a change of user or root it may be out of reach; the C program leaves it then, too.
  }
}
