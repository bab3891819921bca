// Reads what others write in their own time: a pipe whose other end takes long, or never closes, must
// not keep the process from being ended.
import type { Files } from "./files.ts";
import { Errno, type Libc, openLibc, pointerTo } from "./libc.ts";
import { POLLFD_SIZE, POLLIN, pollSymbols } from "./poll.ts";

/**
 * Reads a descriptor to its end, and waits for what is not there yet beside the event loop. `limit`
 * bounds the memory: of more bytes than that, one is read. Throws SystemError; nothing of what was
 * read is left in memory then.
 */
export async function readToEnd(
  files: Files,
  fd: number,
  limit: number,
  subject?: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(limit + 1);
  let length = 0;
  try {
    while (length < whole.length) {
      await readable(files.libc, fd);
      const count = files.read(fd, whole.subarray(length), subject);
      if (count === 0) break;
      length += count;
    }
    return whole.subarray(0, length);
  } catch (error) {
    whole.fill(0);
    throw error;
  }
}

/**
 * Waits until reading would not wait, or accepting, at most `timeoutMs` where that is given; a
 * descriptor that is not open counts as ready. Throws SystemError.
 */
export async function readable(libc: Libc, fd: number, timeoutMs = -1): Promise<void> {
  const c = openLibc(pollSymbols);
  const slot = new Uint8Array(POLLFD_SIZE);
  new Int32Array(slot.buffer, 0, 1)[0] = fd;
  new Int16Array(slot.buffer, 4, 1)[0] = POLLIN;
  for (;;) {
    // What is there already, as in every file, needs no turn of the event loop.
    const ready = c.poll(pointerTo(slot), 1, 0);
    if (ready > 0) return;
    if (ready < 0 && libc.errno !== Errno.EINTR) throw libc.error("poll");
    // A failure beside the event loop leaves its reason in another thread: the call above has it.
    if (await c.pollAside(slot, 1, timeoutMs) === 0) return;
  }
}
