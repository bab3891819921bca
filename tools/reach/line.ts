// A connection of a tool's to a TPM: bytes to it and from it by descriptor, each wait with an end. It
// waits in this thread: signals end the process as ever. What the bytes mean is the tools' affair.
import type { Stream } from "../../control/client.ts";
import type { System } from "../../daemon/system.ts";
import { ClientSockets } from "../../ffi/client_sockets.ts";
import { O } from "../../ffi/files.ts";
import { Errno, type Libc, SystemError } from "../../ffi/libc.ts";
import { POLLIN, POLLOUT, waitFor } from "../../ffi/poll.ts";
import { WOULD_BLOCK } from "../../ffi/sockets.ts";
import { fitsSocket } from "../../ffi/unix_path.ts";
import type { Address } from "./address.ts";

/** What connecting has come to; `failure` is why it has not. */
export type Connected = { line: Line } | { failure: SystemError };

/**
 * Connects, in `patienceMs` where that is given. Throws an error with the words of the C programs,
 * where they have the same in both.
 */
export function connect(system: System, address: Address, patienceMs?: number): Connected {
  try {
    const fd = open(system, address, patienceMs);
    return { line: new Line(system, fd, address.kind !== "device") };
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.call === "getaddrinfo") {
      throw new Error(`getaddrinfo failed on host '${error.subject}': ${error.reason}`);
    }
    if (address.kind === "device") throw new Error(`Unable to open device '${address.path}'.`);
    return { failure: error };
  }
}

function open({ libc, files }: System, address: Address, patienceMs?: number): number {
  const clients = new ClientSockets(libc, patienceMs);
  switch (address.kind) {
    case "unix":
      if (!fitsSocket(address.path)) throw new Error("Socket path is too long.");
      return clients.unix(address.path);
    case "tcp":
      return clients.tcp(address.host, address.port);
    case "device": {
      const fd = files.open(address.path, O.RDWR);
      const { kind } = files.status(fd);
      if (kind === "character") return fd;
      // Commands would be written over what is in it.
      throw new Error(`'${address.path}' is a ${kind}, no character device.`);
    }
  }
}

/** A connection that answers in time or not at all. */
export class Line implements Disposable {
  constructor(
    private readonly system: System,
    readonly fd: number,
    private readonly isSocket: boolean,
  ) {}

  /** Sends all of it. Throws SystemError, ETIMEDOUT when nothing of it goes for `patienceMs`. */
  send(bytes: Uint8Array<ArrayBuffer>, patienceMs: number): void {
    const { sockets } = this.system;
    for (let rest = bytes; rest.length > 0;) {
      const count = this.isSocket ? sockets.send(this.fd, rest) : sockets.write(this.fd, rest);
      if (count === WOULD_BLOCK) this.#wait(POLLOUT, patienceMs);
      else rest = rest.subarray(count);
    }
  }

  /**
   * Receives what is there, 0 at the end. Throws SystemError, ETIMEDOUT when nothing comes for
   * `patienceMs`.
   */
  receive(into: Uint8Array<ArrayBuffer>, patienceMs: number): number {
    const { sockets } = this.system;
    for (;;) {
      this.#wait(POLLIN, patienceMs);
      const count = this.isSocket
        ? sockets.receive(this.fd, into, false)
        : sockets.read(this.fd, into);
      if (count !== WOULD_BLOCK) return count;
    }
  }

  /** The same with one patience for all of it. */
  within(patienceMs: number): Stream {
    return {
      send: (bytes) => this.send(bytes, patienceMs),
      receive: (into) => this.receive(into, patienceMs),
    };
  }

  [Symbol.dispose](): void {
    this.system.sockets.close(this.fd);
  }

  #wait(events: number, patienceMs: number): void {
    const { libc } = this.system;
    const end = performance.now() + patienceMs;
    for (let left = patienceMs; left > 0; left = end - performance.now()) {
      // A process that was stopped and goes on is woken up for nothing.
      if (waitFor(this.fd, events, Math.ceil(left))) return;
    }
    throw timedOut(libc);
  }
}

function timedOut(libc: Libc): SystemError {
  return libc.error("poll", undefined, Errno.ETIMEDOUT);
}
