// Opens what is written to, beside the event loop where that takes time: opening a pipe waits until
// somebody reads it, which must not keep the process from being ended.
import { AT_FDCWD, type Files, O } from "./files.ts";
import { cString, Errno, openLibc, SystemError } from "./libc.ts";

const symbols = {
  openAside: {
    name: "openat",
    parameters: ["i32", "buffer", "i32", "u32"],
    result: "i32",
    nonblocking: true,
  },
} as const;

/** The descriptor, which never waits where it is a pipe's. Throws SystemError. */
export async function openPatiently(
  files: Files,
  path: string,
  flags: number,
  mode: number,
): Promise<number> {
  const open = () => files.open(path, flags | O.NONBLOCK, mode);
  try {
    return open();
  } catch (error) {
    if (!(error instanceof SystemError) || error.errno !== Errno.ENXIO) throw error;
  }
  const { openAside } = openLibc(symbols);
  const fd = await openAside(AT_FDCWD, cString(path), flags | O.CLOEXEC, mode);
  // A failure beside the event loop leaves its reason in another thread.
  return fd < 0 ? open() : fd;
}
