// Sockets by descriptor: receive, send, accept, passed descriptors, and taking over a listening
// socket that Deno opened. What the bytes mean is the callers' affair.
import { addressOf, Errno, Handed, type Libc, openLibc, pointerTo } from "./libc.ts";

const symbols = {
  /** ssize_t recv(int fd, void *buf, size_t len, int flags) */
  recv: { parameters: ["i32", "pointer", "u32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "pointer", "u32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  /** ssize_t recvmsg(int fd, struct msghdr *, int flags) */
  recvmsg: { parameters: ["i32", "pointer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  /** int accept4(int fd, struct sockaddr *, socklen_t *, int flags) */
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  /** int setsockopt(int fd, int level, int option, const void *value, socklen_t size) */
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  /** int getsockopt(int fd, int level, int option, void *value, socklen_t *size) */
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  /** int getpeername(int fd, struct sockaddr *, socklen_t *size) */
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  /** int bind(int fd, const struct sockaddr *, socklen_t size) */
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
} as const;

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const AF_UNIX = 1;
const SOL_SOCKET = 1;
const SO_ACCEPTCONN = 30;
const SO_PEERCRED = 17;
const SO_PROTOCOL = 38;
const SCM_RIGHTS = 1;
const SOCK_CLOEXEC = 0o2000000;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const O_NONBLOCK = 0o4000;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const STDERR = 2;

/** Nothing can be done at once: the answer of a call that would have to wait. */
export const WOULD_BLOCK = -1;

/** How many descriptors other threads may open while the runtime opens one. */
const OTHERS_MAX = 64;

/** `sizeof(struct sockaddr_storage)`, and of the family alone, which is all of a name that is none. */
const SOCKADDR_SIZE = 128;
const SA_FAMILY_SIZE = 2;

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
  readonly #c = openLibc(symbols, ["recv", "send"]);
  readonly #size = new Uint32Array(1);
  readonly #option = new Int32Array(1);
  readonly #received = new Handed();
  readonly #sent = new Handed();
  #envelope: Envelope | undefined;

  constructor(readonly libc: Libc) {}

  /**
   * What a socket has for us: a count, 0 at its end, or {@linkcode WOULD_BLOCK}. With `wait` it
   * sleeps until something comes, or a signal. One that was passed to us with O_NONBLOCK never sleeps.
   */
  receive(fd: number, into: Uint8Array<ArrayBuffer>, wait: boolean): number {
    const pointer = this.#received.pointer(into);
    const count = this.#c.recv(fd, pointer, into.length, wait ? 0 : MSG_DONTWAIT);
    return count >= 0 ? count : this.#blocked("recv");
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
    this.#envelope ??= new Envelope();
    const { message } = this.#envelope.empty(into);
    const count = this.#c.recvmsg(fd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0) return { count: this.#blocked("recvmsg"), fd: undefined };
    return { count, fd: this.#envelope.descriptor };
  }

  /**
   * Accepts a waiting connection, or {@linkcode WOULD_BLOCK}. Several answers of one client are sent
   * as they come: `overTcp` the second would else wait until the first is acknowledged.
   */
  accept(listener: number, overTcp: boolean): number {
    const fd = this.#c.accept4(listener, null, null, SOCK_CLOEXEC);
    if (fd < 0) return this.#blocked("accept");
    if (overTcp) {
      this.#option[0] = 1;
      const on = new Uint8Array(this.#option.buffer);
      this.#c.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, on, on.length);
    }
    return fd;
  }

  close(fd: number): void {
    this.#c.close(fd);
  }

  /** Has accepting from a passed socket never wait, whoever else takes the connection. */
  neverBlock(listener: number): void {
    this.libc.check(this.#c.fcntl(listener, F_SETFL, O_NONBLOCK), "fcntl");
  }

  /** Whether a descriptor is a socket that connections can be accepted from. */
  isListening(fd: number): boolean {
    return this.#optionOf(fd, SO_ACCEPTCONN) === 1;
  }

  /** Whether a descriptor is a socket with another side; whether that is still there is not said. */
  isConnected(fd: number): boolean {
    this.#size[0] = 0;
    return this.#c.getpeername(fd, new Uint8Array(1), new Uint8Array(this.#size.buffer)) === 0;
  }

  /**
   * Whether a connection's other side is `own`, or is accepted from it. Who is connected to a socket
   * knows that one's name; where a Unix socket has none, as one of a pair, the kernel gives it one.
   */
  leadsTo(fd: number, own: number): boolean {
    if (this.#name("getsockname", own) === undefined) {
      const anyName = new Uint8Array(Uint16Array.of(AF_UNIX).buffer);
      this.#c.bind(own, anyName, anyName.length);
    }
    const name = this.#name("getsockname", own);
    return name !== undefined && name === this.#name("getpeername", fd);
  }

  /** The name of one side of a socket, or undefined where that has none. */
  #name(side: "getpeername" | "getsockname", fd: number): string | undefined {
    const name = new Uint8Array(SOCKADDR_SIZE);
    const size = new Uint32Array([name.length]);
    const result = this.#c[side](fd, name, new Uint8Array(size.buffer));
    return result === 0 && size[0]! > SA_FAMILY_SIZE
      ? name.subarray(0, size[0]).toString()
      : undefined;
  }

  /** Whether a descriptor is a TCP socket. */
  isTcp(fd: number): boolean {
    return this.#optionOf(fd, SO_PROTOCOL) === IPPROTO_TCP;
  }

  /** The process that connected a Unix socket, or made a pair; undefined where it cannot be told. */
  peerProcess(fd: number): number | undefined {
    const credentials = new Int32Array(3); // struct ucred: pid, uid, gid
    const value = new Uint8Array(credentials.buffer);
    const size = new Uint8Array(Uint32Array.of(value.length).buffer);
    const result = this.#c.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, size);
    return result === 0 && credentials[0]! > 0 ? credentials[0] : undefined;
  }

  /** Whether one process has connected both; false where that cannot be told, as over TCP. */
  isSamePeer(fd: number, other: number): boolean {
    const peer = this.peerProcess(fd);
    return peer !== undefined && peer === this.peerProcess(other);
  }

  #optionOf(fd: number, name: number): number | undefined {
    this.#size[0] = this.#option.byteLength;
    const option = new Uint8Array(this.#option.buffer);
    const size = new Uint8Array(this.#size.buffer);
    const result = this.#c.getsockopt(fd, SOL_SOCKET, name, option, size);
    return result === 0 ? this.#option[0] : undefined;
  }

  /**
   * The descriptor of a listening socket that the runtime opens; it stays the runtime's to close,
   * which removes a Unix socket's path. Deno shows no descriptors, but a new one is the lowest that
   * was free before, or soon behind it where another thread was faster.
   */
  listenerOf<L extends { close(): void }>(open: () => L): { fd: number; listener: L } {
    const lowest = this.libc.check(this.#c.fcntl(STDERR, F_DUPFD_CLOEXEC, STDERR + 1), "fcntl");
    this.close(lowest);
    const listener = open();
    for (let fd = lowest; fd < lowest + OTHERS_MAX; fd++) {
      if (this.isListening(fd)) return { fd, listener };
    }
    listener.close();
    throw new Error("a listening socket has no descriptor");
  }

  #blocked(call: string): typeof WOULD_BLOCK {
    const { errno } = this.libc;
    if (errno === Errno.EAGAIN || errno === Errno.EINTR) return WOULD_BLOCK;
    throw this.libc.error(call);
  }
}

/**
 * What recvmsg(2) fills: bytes, and room for one descriptor beside them. The structures hold each
 * other's addresses, of which the garbage collector knows nothing: all are fields.
 */
class Envelope {
  readonly #message = new Uint8Array(msghdrLayout.size);
  readonly #iovec = new Uint8Array(iovecLayout.size);
  readonly #control = new Uint8Array(cmsghdrLayout.size + 4);
  readonly #messageView = new DataView(this.#message.buffer);
  readonly #iovecView = new DataView(this.#iovec.buffer);
  readonly #controlView = new DataView(this.#control.buffer);
  readonly message = pointerTo(this.#message);
  #into: Uint8Array<ArrayBuffer> | undefined;

  constructor() {
    this.#messageView.setBigUint64(msghdrLayout.iov, addressOf(this.#iovec), true);
    this.#messageView.setBigUint64(msghdrLayout.iovLength, 1n, true);
    this.#messageView.setBigUint64(msghdrLayout.control, addressOf(this.#control), true);
  }

  /** Has the next message come into these bytes. */
  empty(into: Uint8Array<ArrayBuffer>): this {
    if (into !== this.#into) {
      this.#into = into;
      this.#iovecView.setBigUint64(iovecLayout.base, addressOf(into), true);
      this.#iovecView.setBigUint64(iovecLayout.length, BigInt(into.length), true);
    }
    // Of a size_t that is small the upper word is never anything but 0.
    this.#messageView.setUint32(msghdrLayout.controlLength, this.#control.length, true);
    return this;
  }

  /** The descriptor that came, if one did. */
  get descriptor(): number | undefined {
    const length = this.#messageView.getUint32(msghdrLayout.controlLength, true);
    const passed = length >= this.#control.length &&
      this.#controlView.getInt32(cmsghdrLayout.level, true) === SOL_SOCKET &&
      this.#controlView.getInt32(cmsghdrLayout.type, true) === SCM_RIGHTS;
    return passed ? this.#controlView.getInt32(cmsghdrLayout.size, true) : undefined;
  }
}
