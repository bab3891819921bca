// Sockets by descriptor: receive, send, accept, passed descriptors, and finding the descriptor of a
// socket that Deno opened (Deno shows none). What the bytes mean is the callers' affair.
import { addressOf, cString, Errno, Handed, type Libc, openLibc } from "./libc.ts";

const symbols = {
  /** ssize_t recv(int fd, void *buf, size_t len, int flags) */
  recv: { parameters: ["i32", "pointer", "u32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "pointer", "u32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  /** ssize_t recvmsg(int fd, struct msghdr *, int flags) */
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  /** int accept4(int fd, struct sockaddr *, socklen_t *, int flags) */
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  /** int setsockopt(int fd, int level, int option, const void *value, socklen_t size) */
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  /** int getsockopt(int fd, int level, int option, void *value, socklen_t *size) */
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  /** int epoll_ctl(int epfd, int op, int fd, struct epoll_event *); EINVAL for other kinds. */
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
} as const;

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const SOL_SOCKET = 1;
const SO_ACCEPTCONN = 30;
const SO_PROTOCOL = 38;
const SCM_RIGHTS = 1;
const SOCK_CLOEXEC = 0o2000000;
const F_SETFL = 4;
const SO_RCVTIMEO = 20;
const EPOLL_CTL_MOD = 3;
const EPOLL_CLOEXEC = 0o2000000;
/**
 * `struct epoll_event` (12 bytes, 16 on arm64) that asks for nothing, only when it changes
 * (EPOLLET); its data 0 is what the runtime's own waker has, which means nothing to it.
 */
const silence = Uint8Array.of(0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const AF_UNIX = 1;
const IPPROTO_TCP = 6;
const STDERR = 2;

/** Nothing can be done at once: the answer of a call that would have to wait. */
export const WOULD_BLOCK = -1;

/** The kernel's usual hard limit for a process. */
const DESCRIPTOR_MAX = 1 << 16;

/** `struct sockaddr_storage`: family, then a port (IPv4 and IPv6) or a path (Unix). */
const sockaddrLayout = { size: 128, port: 2, path: 2 } as const;

/** `struct msghdr` and `struct cmsghdr` of 64-bit Linux. */
const msghdrLayout = { size: 56, iov: 16, iovLength: 24, control: 32, controlLength: 40 } as const;
const iovecLayout = { size: 16, base: 0, length: 8 } as const;
const cmsghdrLayout = { size: 16, length: 0, level: 8, type: 12 } as const;

/** Bytes and at most one descriptor that came with them. */
export interface Received {
  /** 0 at the end of the stream, {@linkcode WOULD_BLOCK} when nothing is there. */
  count: number;
  fd: number | undefined;
}

export class Sockets {
  readonly #c = openLibc(symbols);
  readonly #address = new Uint8Array(sockaddrLayout.size);
  readonly #peer = new Uint8Array(sockaddrLayout.size);
  readonly #size = new Uint32Array(1);
  readonly #option = new Int32Array(1);
  readonly #received = new Handed();
  readonly #sent = new Handed();
  /** Descriptors that are somebody's already, so that an adoption cannot take them again. */
  readonly #owned = new Set<number>();

  constructor(readonly libc: Libc) {}

  /**
   * What a socket has for us: a count, 0 at its end, or {@linkcode WOULD_BLOCK}. With `wait` it
   * sleeps until something comes, no longer than {@linkcode limitWaits} has set.
   */
  receive(fd: number, into: Uint8Array<ArrayBuffer>, wait: boolean): number {
    const pointer = this.#received.pointer(into);
    const count = this.#c.recv(fd, pointer, into.length, wait ? 0 : MSG_DONTWAIT);
    return count >= 0 ? count : this.#blocked("recv");
  }

  /**
   * Bounds how long receiving from a socket may sleep; false where that is not possible. One that
   * was passed to us with O_NONBLOCK never sleeps, as its other owners may count on that.
   */
  limitWaits(fd: number, limitMs: number): boolean {
    // struct timeval of a 64-bit system: seconds, microseconds.
    const limit = new BigInt64Array([0n, BigInt(limitMs * 1000)]);
    const value = new Uint8Array(limit.buffer);
    return this.#c.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, value, value.length) === 0;
  }

  /** The same for a descriptor that is no socket; the caller knows that it is readable. */
  read(fd: number, into: Uint8Array<ArrayBuffer>): number {
    const count = this.#c.read(fd, into, into.length);
    return count >= 0 ? count : this.#blocked("read");
  }

  /** Sends what fits now and returns how much that was, or {@linkcode WOULD_BLOCK}. */
  send(fd: number, bytes: Uint8Array<ArrayBuffer>): number {
    const pointer = this.#sent.pointer(bytes);
    const count = this.#c.send(fd, pointer, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return count >= 0 ? count : this.#blocked("send");
  }

  /** The same for a descriptor that is no socket. */
  write(fd: number, bytes: Uint8Array<ArrayBuffer>): number {
    const count = this.#c.write(fd, bytes, bytes.length);
    return count >= 0 ? count : this.#blocked("write");
  }

  /**
   * Receives bytes with room for one descriptor beside them (SCM_RIGHTS). Further descriptors are
   * dropped by the kernel. The descriptor is the caller's to close.
   */
  receiveWithDescriptor(fd: number, into: Uint8Array<ArrayBuffer>): Received {
    const control = new Uint8Array(cmsghdrLayout.size + 4);
    const iovec = new Uint8Array(iovecLayout.size);
    const message = new Uint8Array(msghdrLayout.size);
    const iovecView = new DataView(iovec.buffer);
    iovecView.setBigUint64(iovecLayout.base, addressOf(into), true);
    iovecView.setBigUint64(iovecLayout.length, BigInt(into.length), true);
    const view = new DataView(message.buffer);
    view.setBigUint64(msghdrLayout.iov, addressOf(iovec), true);
    view.setBigUint64(msghdrLayout.iovLength, 1n, true);
    view.setBigUint64(msghdrLayout.control, addressOf(control), true);
    view.setBigUint64(msghdrLayout.controlLength, BigInt(control.length), true);

    const count = this.#c.recvmsg(fd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0) return { count: this.#blocked("recvmsg"), fd: undefined };
    const controlView = new DataView(control.buffer);
    const passed = view.getBigUint64(msghdrLayout.controlLength, true) >= control.length &&
      controlView.getInt32(cmsghdrLayout.level, true) === SOL_SOCKET &&
      controlView.getInt32(cmsghdrLayout.type, true) === SCM_RIGHTS;
    return { count, fd: passed ? controlView.getInt32(cmsghdrLayout.size, true) : undefined };
  }

  /** Accepts a waiting connection, or {@linkcode WOULD_BLOCK}. */
  accept(listener: number): number {
    const fd = this.#c.accept4(listener, null, null, SOCK_CLOEXEC);
    return fd >= 0 ? fd : this.#blocked("accept");
  }

  close(fd: number): void {
    this.#owned.delete(fd);
    this.#c.close(fd);
  }

  /** Whether a descriptor is a socket that connections can be accepted from. */
  isListening(fd: number): boolean {
    return this.#optionOf(fd, SO_ACCEPTCONN) === 1;
  }

  /** Whether a descriptor is a TCP socket. */
  isTcp(fd: number): boolean {
    return this.#optionOf(fd, SO_PROTOCOL) === IPPROTO_TCP;
  }

  #optionOf(fd: number, name: number): number | undefined {
    this.#size[0] = this.#option.byteLength;
    const option = new Uint8Array(this.#option.buffer);
    const size = new Uint8Array(this.#size.buffer);
    const result = this.#c.getsockopt(fd, SOL_SOCKET, name, option, size);
    return result === 0 ? this.#option[0] : undefined;
  }

  /** The descriptor of a listener that Deno just opened on a TCP port, or on a Unix path. */
  listener(at: { port: number } | { path: string }): number | undefined {
    const named = "port" in at
      ? () => this.#family() !== AF_UNIX && this.#port(this.#address) === at.port
      : () => this.#family() === AF_UNIX && this.#pathEndsWith(cString(at.path));
    return this.#find((fd) => this.#named(fd) && named() && this.isListening(fd));
  }

  /**
   * Finds the descriptor of a connection that Deno accepted, and silences it in Deno's event loop,
   * which would wake up for every byte that arrives; receiving from it may sleep from then on. It is
   * closed by closing Deno's connection: a duplicate would not do, as Deno shuts the connection down
   * when it closes it. Ports tell TCP connections apart; a Unix connection has the name of its
   * listener.
   */
  adopt(listener: number, ports: { local: number; remote: number } | undefined): number {
    if (!this.#named(listener)) throw this.libc.error("getsockname");
    const name = this.#address.slice();
    const found = this.#find((fd) => {
      if (!this.#named(fd) || this.isListening(fd)) return false;
      if (ports === undefined) return equal(this.#address, name);
      return this.#port(this.#address) === ports.local && this.#peerNamed(fd) &&
        this.#port(this.#peer) === ports.remote;
    });
    if (found === undefined) throw new Error("an accepted connection has no descriptor");
    for (let fd = 3; fd < found; fd++) {
      if (this.#c.epoll_ctl(fd, EPOLL_CTL_MOD, found, silence) === 0) break;
    }
    this.#c.fcntl(found, F_SETFL, 0);
    return this.own(found);
  }

  /** Notes that a descriptor is somebody's, until {@linkcode close}. */
  own(fd: number): number {
    this.#owned.add(fd);
    return fd;
  }

  /** The opposite, for a descriptor that somebody else closes. */
  disown(fd: number): void {
    this.#owned.delete(fd);
  }

  /**
   * The descriptor that `matches`. A new one is the lowest that was free, so it is mostly the last
   * one before what is the lowest free one now: each that is asked about costs a call of the kernel.
   */
  #find(matches: (fd: number) => boolean): number | undefined {
    const free = this.#c.epoll_create1(EPOLL_CLOEXEC);
    if (free >= 0) this.#c.close(free);
    const tried = (fd: number) => !this.#owned.has(fd) && matches(fd);
    for (let fd = free - 1; fd > STDERR; fd--) if (tried(fd)) return fd;
    for (let fd = Math.max(free, STDERR + 1); fd < DESCRIPTOR_MAX; fd++) if (tried(fd)) return fd;
    return undefined;
  }

  #named(fd: number): boolean {
    this.#address.fill(0);
    this.#size[0] = this.#address.length;
    return this.#c.getsockname(fd, this.#address, new Uint8Array(this.#size.buffer)) === 0;
  }

  #peerNamed(fd: number): boolean {
    this.#size[0] = this.#peer.length;
    return this.#c.getpeername(fd, this.#peer, new Uint8Array(this.#size.buffer)) === 0;
  }

  #family(): number {
    return this.#address[0]! | this.#address[1]! << 8;
  }

  /** Deno may have made a relative path absolute. */
  #pathEndsWith(path: Uint8Array): boolean {
    const end = this.#size[0]!;
    const begin = end - path.length;
    return begin >= sockaddrLayout.path && equal(this.#address.subarray(begin, end), path);
  }

  #port(address: Uint8Array): number {
    return address[sockaddrLayout.port]! << 8 | address[sockaddrLayout.port + 1]!;
  }

  #blocked(call: string): typeof WOULD_BLOCK {
    const { errno } = this.libc;
    if (errno === Errno.EAGAIN || errno === Errno.EINTR) return WOULD_BLOCK;
    throw this.libc.error(call);
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.toHex() === b.toHex();
}
