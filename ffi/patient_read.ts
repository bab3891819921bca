// Waits for what others do in their own time, beside the event loop: a pipe whose other end takes long,
// or never closes, must not keep the process from being ended.
import type { Files } from "./files.ts";
import { Errno, type Libc, openLibc, pointerTo } from "./libc.ts";
import { POLLFD_SIZE, POLLIN, pollSymbols } from "./poll.ts";

/** After that long it is told what is waited for. */
const LONG_MS = 2000;

/** What is read, and when that is enough. */
export interface Reading {
  /** Bounds the memory: of more bytes than that, one is read. */
  limit: number;
  subject?: string;
  /** Whether nothing is missing, before the other end is closed; else it is read to its end. */
  isWhole?: (bytes: Uint8Array) => boolean;
  /** Called once where it takes long. */
  onLong?: () => void;
}

/**
 * Reads a descriptor until it is whole or at its end. Throws SystemError; nothing of what was read is
 * left in memory then.
 */
export async function readPatiently(
  files: Files,
  fd: number,
  { limit, subject, isWhole, onLong }: Reading,
): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(limit + 1);
  let length = 0;
  let timer;
  try {
    while (length < whole.length) {
      if (!isReady(files.libc, fd, POLLIN)) {
        timer ??= onLong && setTimeout(onLong, LONG_MS);
        await ready(files.libc, fd, POLLIN);
      }
      const count = files.read(fd, whole.subarray(length), subject);
      if (count === 0) break;
      length += count;
      if (isWhole?.(whole.subarray(0, length)) === true) break;
    }
    return whole.subarray(0, length);
  } catch (error) {
    whole.fill(0);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits until a descriptor has one of the events, or something is wrong with it, as when it is not
 * open; at most `timeoutMs` where that is given. Throws SystemError.
 */
export async function ready(
  libc: Libc,
  fd: number,
  events: number,
  timeoutMs = -1,
): Promise<void> {
  const slot = slotFor(fd, events);
  const { pollAside } = openLibc(pollSymbols);
  // A failure beside the event loop leaves its reason in another thread: the look has it.
  while (!isReady(libc, fd, events)) if (await pollAside(slot, 1, timeoutMs) === 0) return;
}

/** What is there already, as in every file, needs no turn of the event loop. */
function isReady(libc: Libc, fd: number, events: number): boolean {
  const count = openLibc(pollSymbols).poll(pointerTo(slotFor(fd, events)), 1, 0);
  if (count < 0 && libc.errno !== Errno.EINTR) throw libc.error("poll");
  return count > 0;
}

function slotFor(fd: number, events: number): Uint8Array<ArrayBuffer> {
  const slot = new Uint8Array(POLLFD_SIZE);
  new Int32Array(slot.buffer, 0, 1)[0] = fd;
  new Int16Array(slot.buffer, 4, 1)[0] = events;
  return slot;
}
