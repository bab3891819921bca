// What is printed: results on standard output, which have to arrive, what stood in the way on standard
// error, which may be lost. All printing of the program passes here.
import { Errno, SystemError } from "../../ffi/libc.ts";
import { POLLOUT, waitFor } from "../../ffi/poll.ts";
import { explain } from "./explain.ts";
import type { System } from "../system.ts";

const STDOUT = 1;
export const STDERR = 2;
/** What errors call it. */
const OUTPUT = "standard output";

const SIGPIPE = 13;
/** What shells make of it. */
const SIGPIPE_EXIT = 128 + SIGPIPE;

/** Prints all of it. Throws SystemError: the disk is full, the reader has gone. */
export function print(system: Pick<System, "files">, text: string): void {
  printBytes(system, new TextEncoder().encode(text));
}

/** The same of what is no text. */
export function printBytes(
  { files }: Pick<System, "files">,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  let rest = bytes;
  while (rest.length > 0) {
    const count = files.writeSome(STDOUT, rest, OUTPUT);
    // Who started us may have told the descriptor not to wait.
    if (count === undefined) waitFor(STDOUT, POLLOUT, -1);
    else rest = rest.subarray(count);
  }
}

/** Whether it is {@linkcode print} that has failed. */
export function isUnprinted(error: unknown): error is SystemError {
  return error instanceof SystemError && error.subject === OUTPUT;
}

/** Whether somebody reads no further, as in `swtpm --help | head -1`. */
export function isReaderGone(error: unknown): boolean {
  return isUnprinted(error) && error.errno === Errno.EPIPE;
}

/** Ends without a word, as the signal does that the runtime ignores; returns an exit code for it. */
export function endWithReader({ process }: Pick<System, "process">): number {
  process.endBy(SIGPIPE);
  return SIGPIPE_EXIT;
}

/** Whether standard output is a terminal that may have colours (https://no-color.org). */
export function outputIsTerminal(): boolean {
  return Deno.stdout.isTerminal() && !Deno.noColor;
}

/** One line, as the emulator's own messages are. */
export function tell(message: string): void {
  printAside(`swtpm: ${message}\n`);
}

/** On standard error. Where nobody can be told, what is done goes on all the same. */
export function printAside(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // A full disk, or a reader that has gone.
  }
}

/** Whether standard error is a terminal that may have colours (https://no-color.org). */
export function errorIsTerminal(): boolean {
  return Deno.stderr.isTerminal() && !Deno.noColor;
}

/** Tells of an error, and what can be said about it. */
export function complain(system: Pick<System, "files" | "users">, error: unknown): void {
  tell(explain(system, error));
}

/** Whether a person may be looking at what is printed aside. */
export function isWatched(): boolean {
  return Deno.stderr.isTerminal();
}
