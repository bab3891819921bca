// Writing without ever waiting for whoever reads: a pipe that is full takes nothing. What is to become
// of what it did not take is the caller's decision.
import { type Files, O } from "./files.ts";
import { POLLOUT, waitFor } from "./poll.ts";

/** PIPE_BUF: a pipe with any room at all takes as much at once. */
const PIECE_MAX = 4096;

const NOTHING = new Uint8Array();

export class Sink {
  /** The end of what was taken in part. */
  #rest: Uint8Array<ArrayBuffer> = NOTHING;

  private constructor(
    private readonly files: Files,
    readonly fd: number,
    /** Whether writing may wait, so that there has to be a look first. */
    private readonly waits: boolean,
  ) {}

  /**
   * A sink that ends in the same place as `fd`. That one may be shared, with COMMAND or with a shell,
   * and is not told to wait no more: a pipe is opened once more. Where that is not allowed, as after a
   * change of user, or not possible, as with a socket, there is a look before each piece.
   */
  static into(files: Files, fd: number): Sink {
    const { kind } = files.status(fd);
    if (kind === "file") return new Sink(files, fd, false);
    if (kind !== "fifo") return new Sink(files, fd, true);
    try {
      return new Sink(files, files.open(`/proc/self/fd/${fd}`, O.WRONLY | O.NONBLOCK), false);
    } catch {
      return new Sink(files, fd, true);
    }
  }

  /** False where nothing was written. Throws SystemError for what waiting would not mend. */
  write(bytes: Uint8Array<ArrayBuffer>): boolean {
    this.#rest = this.#writePieces(this.#rest);
    if (this.#rest.length > 0) return false;
    const rest = this.#writePieces(bytes);
    if (rest.length === bytes.length) return false;
    this.#rest = rest;
    return true;
  }

  /** Returns what there was no room for. */
  #writePieces(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.waits && !waitFor(this.fd, POLLOUT, 0)) break;
      const count = this.files.writeSome(this.fd, rest.subarray(0, PIECE_MAX));
      if (count === undefined) break;
      rest = rest.subarray(count);
    }
    return rest;
  }
}
