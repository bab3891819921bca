// A channel for tests: delivers pieces that the test wrote, keeps what was sent.
import { type Received, WOULD_BLOCK } from "../ffi/sockets.ts";
import type { Channel } from "./channel.ts";

/** Bytes, with a descriptor beside them where one is named; none at all is the end. */
export interface Piece {
  bytes: Uint8Array;
  fd?: number;
}

export class ScriptedChannel implements Channel {
  readonly fd = -1;
  readonly neverWaits = true;
  readonly overTcp = false;
  readonly unsent = false;
  readonly sent: Uint8Array[] = [];
  closed = false;
  readonly #pieces: Piece[];

  constructor(...pieces: (Uint8Array | Piece)[]) {
    this.#pieces = pieces.map((piece) => piece instanceof Uint8Array ? { bytes: piece } : piece);
  }

  receive(into: Uint8Array<ArrayBuffer>): number {
    return this.receiveWithDescriptor(into).count;
  }

  receiveWithDescriptor(into: Uint8Array<ArrayBuffer>): Received {
    const piece = this.#pieces.shift();
    if (piece === undefined) return { count: WOULD_BLOCK, fd: undefined };
    const now = piece.bytes.subarray(0, into.length);
    into.set(now);
    if (now.length < piece.bytes.length) {
      this.#pieces.unshift({ bytes: piece.bytes.subarray(now.length) });
    }
    return { count: now.length, fd: piece.fd };
  }

  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    this.sent.push(bytes.slice());
    return true;
  }

  flush(): boolean {
    return true;
  }

  close(): void {
    this.closed = true;
  }
}
