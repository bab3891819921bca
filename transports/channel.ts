// One kind of channel for all connections: a descriptor that bytes are received from and sent to
// without waiting, but where that is asked for. What cannot be sent at once is kept; who waits for
// whom is the loop's affair.
import type { Received, Sockets } from "../ffi/sockets.ts";
import { WOULD_BLOCK } from "../ffi/sockets.ts";

/** A connection, a passed socket or a character device. */
export interface Channel {
  readonly fd: number;
  /** Whether receiving may be tried before the descriptor is known to be readable. */
  readonly neverWaits: boolean;
  /** Whether it is a connection over TCP, where clients come and go by the command. */
  readonly overTcp: boolean;
  /**
   * Bytes that are there: their count, 0 when the other side is gone, or
   * {@linkcode WOULD_BLOCK}. A broken connection counts as gone. With `wait` it may sleep for them
   * until a signal comes.
   */
  receive(into: Uint8Array<ArrayBuffer>, wait?: boolean): number;
  /** The same with a descriptor that may come along; it is the caller's to close. */
  receiveWithDescriptor(into: Uint8Array<ArrayBuffer>): Received;
  /** Sends, or keeps what does not fit now. False when the other side is gone. */
  send(bytes: Uint8Array<ArrayBuffer>): boolean;
  /** Whether bytes are kept; the owner calls {@linkcode flush} when the descriptor takes more. */
  readonly unsent: boolean;
  /** Sends what was kept. False when the other side is gone. */
  flush(): boolean;
  close(): void;
}

/** A channel over any descriptor: a stream or datagram socket, or a device. */
export class DescriptorChannel implements Channel {
  #rest: Uint8Array<ArrayBuffer> | undefined;
  #open = true;

  constructor(
    private readonly sockets: Sockets,
    readonly fd: number,
    private readonly kind: "socket" | "device",
    /** Whether it is a connection over TCP, where that is known. */
    private readonly tcp?: boolean,
  ) {}

  get neverWaits(): boolean {
    return this.kind === "socket";
  }

  get overTcp(): boolean {
    return this.tcp ?? (this.kind === "socket" && this.sockets.isTcp(this.fd));
  }

  receive(into: Uint8Array<ArrayBuffer>, wait = false): number {
    try {
      return this.kind === "socket"
        ? this.sockets.receive(this.fd, into, wait)
        : this.sockets.read(this.fd, into);
    } catch {
      return 0;
    }
  }

  receiveWithDescriptor(into: Uint8Array<ArrayBuffer>): Received {
    try {
      if (this.kind === "socket") return this.sockets.receiveWithDescriptor(this.fd, into);
      return { count: this.sockets.read(this.fd, into), fd: undefined };
    } catch {
      return { count: 0, fd: undefined };
    }
  }

  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#rest !== undefined) {
      const both = new Uint8Array(this.#rest.length + bytes.length);
      both.set(this.#rest);
      both.set(bytes, this.#rest.length);
      this.#rest = both;
      return this.flush();
    }
    const count = this.#sendNow(bytes);
    if (count === bytes.length) return true;
    if (count === undefined) return false;
    this.#rest = bytes.slice(count);
    return true;
  }

  get unsent(): boolean {
    return this.#rest !== undefined;
  }

  flush(): boolean {
    if (this.#rest === undefined) return true;
    const count = this.#sendNow(this.#rest);
    if (count === undefined) return false;
    this.#rest = count === this.#rest.length ? undefined : this.#rest.subarray(count);
    return true;
  }

  /** How much went out now; undefined when the other side is gone. */
  #sendNow(bytes: Uint8Array<ArrayBuffer>): number | undefined {
    try {
      const count = this.kind === "socket"
        ? this.sockets.send(this.fd, bytes)
        : this.sockets.write(this.fd, bytes);
      return count === WOULD_BLOCK ? 0 : count;
    } catch {
      return undefined;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.sockets.close(this.fd);
  }
}
