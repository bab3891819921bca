// Small files in which the kernel tells about itself and about us.
import { type Files, O, UNKNOWN_HOLDER } from "../../ffi/files.ts";

/**
 * /proc/net/unix grows with the machine's sockets, some 80 bytes each. Files below /proc/sys refuse
 * to be read into 4 MiB and more.
 */
const TEXT_MAX = 3 * 1024 * 1024;

/** A file's text without the end of its last line; undefined where it cannot be read. */
export function systemFile(files: Files, path: string): string | undefined {
  try {
    const fd = files.open(path, O.RDONLY);
    try {
      const text = new TextDecoder().decode(files.readAll(fd, TEXT_MAX, path));
      return text.replace(/[\n\0]+$/, "");
    } finally {
      files.close(fd);
    }
  } catch {
    return undefined;
  }
}

/** A process in words, by its number; the kernel may not know the holder of a lock. */
export function processName(files: Files, pid: number): string {
  if (pid === UNKNOWN_HOLDER) return "a process that cannot be seen from here";
  const name = systemFile(files, `/proc/${pid}/comm`);
  return name === undefined ? `process ${pid}` : `process ${pid} (${name})`;
}
