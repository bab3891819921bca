// Connections to others: Unix and TCP sockets that this program is the client of, by descriptor. Not
// Deno.connect, which tries only the first of a host's addresses.
import { cString, Errno, type Libc, openLibc, SystemError } from "./libc.ts";

const symbols = {
  /** int socket(int domain, int type, int protocol) */
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  /** int connect(int fd, const struct sockaddr *, socklen_t) */
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connectTo: { name: "connect", parameters: ["i32", "pointer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  /** int socketpair(int domain, int type, int protocol, int sv[2]) */
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  /**
   * int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
   * struct addrinfo **); the list is freed with freeaddrinfo.
   */
  getaddrinfo: { parameters: ["buffer", "buffer", "buffer", "buffer"], result: "i32" },
  freeaddrinfo: { parameters: ["pointer"], result: "void" },
  /** const char *gai_strerror(int); static memory. */
  gai_strerror: { parameters: ["i32"], result: "pointer" },
} as const;

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;

/** `struct sockaddr_un`: short family, char path[108]. */
const sockaddrUnLayout = { size: 110, path: 2 } as const;
/** `struct addrinfo` of a 64-bit system. */
const addrinfoLayout = { size: 48, family: 4, type: 8, length: 16, address: 24, next: 40 } as const;

export class ClientSockets {
  readonly #c = openLibc(symbols);

  constructor(
    private readonly libc: Libc,
    /** How long connecting to one address may take; the kernel's own patience where not given. */
    private readonly patienceMs?: number,
  ) {}

  /** Two sockets that are connected with each other; neither goes to children. */
  pair(): readonly [number, number] {
    const both = new Int32Array(2);
    const type = SOCK_STREAM | SOCK_CLOEXEC;
    this.libc.check(
      this.#c.socketpair(AF_UNIX, type, 0, new Uint8Array(both.buffer)),
      "socketpair",
    );
    return [both[0]!, both[1]!];
  }

  /** Connects to a path that {@linkcode fitsSocket}. Throws SystemError. */
  unix(path: string): number {
    const address = new Uint8Array(sockaddrUnLayout.size);
    new DataView(address.buffer).setUint16(0, AF_UNIX, true);
    address.set(cString(path), sockaddrUnLayout.path);
    const fd = this.libc.check(this.#socket(AF_UNIX), "socket");
    if (this.#c.connect(fd, address, address.length) === 0) return fd;
    const error = this.#connectError(path);
    this.#c.close(fd);
    throw error;
  }

  /**
   * Connects to the first of a host's addresses that answers. Throws SystemError, of getaddrinfo where
   * the host is not known, else of the last address.
   */
  tcp(host: string, port: number): number {
    const hints = new Uint8Array(addrinfoLayout.size);
    new DataView(hints.buffer).setInt32(addrinfoLayout.type, SOCK_STREAM, true);
    const list = new BigUint64Array(1);
    const result = this.#c.getaddrinfo(
      cString(host),
      cString(String(port)),
      hints,
      new Uint8Array(list.buffer),
    );
    if (result !== 0) throw this.#lookupError(result, host);
    const first = Deno.UnsafePointer.create(list[0]!);
    try {
      return this.#firstOf(first, host);
    } finally {
      this.#c.freeaddrinfo(first);
    }
  }

  #firstOf(first: Deno.PointerValue, host: string): number {
    let error: SystemError | undefined;
    for (let at = first; at !== null;) {
      const info = new Deno.UnsafePointerView(at);
      const family = info.getInt32(addrinfoLayout.family);
      const fd = this.#socket(family);
      if (fd >= 0) {
        const address = info.getPointer(addrinfoLayout.address);
        const length = info.getUint32(addrinfoLayout.length);
        if (this.#c.connectTo(fd, address, length) === 0) return fd;
      }
      error = this.#connectError(host);
      if (fd >= 0) this.#c.close(fd);
      at = info.getPointer(addrinfoLayout.next);
    }
    throw error ?? new Error(`the host '${host}' has no address`);
  }

  /** A stream socket, which connects in time or not at all. */
  #socket(family: number): number {
    const fd = this.#c.socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || this.patienceMs === undefined) return fd;
    // struct timeval of a 64-bit system: seconds, microseconds.
    const seconds = Math.floor(this.patienceMs / 1000);
    const rest = Math.ceil((this.patienceMs - seconds * 1000) * 1000);
    const limit = new BigInt64Array([BigInt(seconds), BigInt(Math.min(rest, 999_999))]);
    const value = new Uint8Array(limit.buffer);
    this.#c.setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, value, value.length);
    return fd;
  }

  #connectError(subject: string): SystemError {
    const error = this.libc.error("connect", subject);
    // What a patience that has come to its end is called depends on the kind of the socket.
    const isLate = error.errno === Errno.EAGAIN || error.errno === Errno.EINPROGRESS;
    return isLate ? this.libc.error("connect", subject, Errno.ETIMEDOUT) : error;
  }

  #lookupError(result: number, host: string): SystemError {
    const text = this.#c.gai_strerror(result);
    const reason = text === null ? `error ${result}` : Deno.UnsafePointerView.getCString(text);
    return new SystemError("getaddrinfo", result, `EAI ${result}`, reason, host);
  }
}
