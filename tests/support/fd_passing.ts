// Sockets as bare descriptors, for what Deno cannot do: socket pairs, descriptors that a child
// inherits, SCM_RIGHTS on a control message, resets, names that are no text. The only test support
// that calls into C; leaves the messages to control.ts and their exchange to client.ts.

import { fields } from "./bytes.ts";
import { type Address, Client, type Wire } from "./client.ts";
import { waitUntil } from "./wait.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const SOCKET_TYPES = { stream: 1, datagram: 2, packets: 5 } as const;
const SOCK_STREAM = SOCKET_TYPES.stream;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_LINGER = 13;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const SCM_RIGHTS = 1;
const F_SETFD = 2;
const SHUT_WR = 1;
const SHUT_RDWR = 2;
const MSG_OOB = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** Asks how much of what was sent has not been read yet. */
const SIOCOUTQ = 0x5411n;
const EAGAIN = 11;
const EINPROGRESS = 115;
/** A connection that is over, or never came about: ECONNRESET, ENOTCONN, ECONNREFUSED. */
const GONE: readonly number[] = [104, 107, 111];

/** sizeof(sockaddr_un.sun_path) */
const UNIX_PATH_SIZE = 108;
/** Bytes read at once. */
const READ_SIZE = 64 * 1024;
/** Failures to read that are looked at once more. */
const STRANGE_MAX = 2;
/** Pause between two looks at a descriptor; an FFI poll would keep a thread busy instead. */
const LOOK_AGAIN_MS = 1;

const SYMBOLS = {
  // int socket(int domain, int type, int protocol)
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int socketpair(int domain, int type, int protocol, int sv[2])
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  // int connect(int fd, const struct sockaddr *address, socklen_t length)
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int pipe(int fds[2])
  pipe: { parameters: ["buffer"], result: "i32" },
  // int pidfd_open(pid_t pid, unsigned flags)
  pidfd_open: { parameters: ["i32", "u32"], result: "i32" },
  // int open(const char *path, int flags)
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // int bind(int fd, const struct sockaddr *address, socklen_t length)
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int listen(int fd, int backlog)
  listen: { parameters: ["i32", "i32"], result: "i32" },
  // int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  // ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  // ssize_t send(int fd, const void *bytes, size_t length, int flags)
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  // ssize_t recv(int fd, void *bytes, size_t length, int flags)
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  // int ioctl(int fd, unsigned long request, int *value)
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  // int fcntl(int fd, int command, int value)
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int shutdown(int fd, int how)
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // int *__errno_location(void)
  __errno_location: { parameters: [], result: "pointer" },
} as const;

type Libc = Deno.DynamicLibrary<typeof SYMBOLS>;

/** The C library's socket calls, opened for one test; `using` closes it and what it opened. */
export class Descriptors implements Disposable {
  readonly #libc: Libc = Deno.dlopen("libc.so.6", SYMBOLS);
  readonly #open = new Set<number>();
  #held: readonly Uint8Array[] = [];

  /**
   * Two connected sockets, for a stream unless `type` says otherwise. With `inheritable` each child
   * that is started while it is open has the second one, too.
   */
  socketPair(
    options: { readonly inheritable?: boolean; readonly type?: keyof typeof SOCKET_TYPES } = {},
  ): readonly [number, number] {
    const pair = new Int32Array(2);
    const { inheritable = false, type = "stream" } = options;
    const how = SOCKET_TYPES[type] | SOCK_CLOEXEC;
    this.#check("socketpair", this.#libc.symbols.socketpair(AF_UNIX, how, 0, bytesOf(pair)));
    if (inheritable) this.#check("fcntl", this.#libc.symbols.fcntl(pair[1]!, F_SETFD, 0));
    return this.#both(pair);
  }

  /** A pipe: the end to read from, and the one to write to. */
  pipe(): readonly [number, number] {
    const pair = new Int32Array(2);
    this.#check("pipe", this.#libc.symbols.pipe(bytesOf(pair)));
    return this.#both(pair);
  }

  #both([one = -1, other = -1]: Int32Array): readonly [number, number] {
    this.#open.add(one).add(other);
    return [one, other];
  }

  /** A descriptor of a process. */
  process(pid: number): number {
    const fd = this.#check("pidfd_open", this.#libc.symbols.pidfd_open(pid, 0));
    this.#open.add(fd);
    return fd;
  }

  /** A stream socket that is not connected. */
  socket(transport: Address["transport"]): number {
    const family = transport === "unix" ? AF_UNIX : AF_INET;
    const type = SOCK_STREAM | SOCK_CLOEXEC;
    const fd = this.#check("socket", this.#libc.symbols.socket(family, type, 0));
    this.#open.add(fd);
    return fd;
  }

  /** Connects to a socket and returns the descriptor, which blocks where it is read. */
  connect(address: Address): number {
    const { fd, why } = this.#connect(address, 0);
    if (why !== 0) throw new Error(`connect to the socket failed, errno ${why}`);
    return fd;
  }

  /** The same without blocking, neither now, while the socket's backlog is full, nor later. */
  async connectAside(address: Address): Promise<number> {
    return await waitUntil("room in the socket's backlog", () => this.connectNow(address));
  }

  /**
   * One attempt that blocks neither now nor later; undefined while the backlog is full. `from` is
   * the name that a Unix client gives itself, which need not be text.
   */
  connectNow(address: Address, from?: Uint8Array): number | undefined {
    const { fd, why } = this.#connect(address, SOCK_NONBLOCK, from);
    // A TCP connection comes about by itself.
    if (why === 0 || why === EINPROGRESS) return fd;
    this.close(fd);
    if (why === EAGAIN) return undefined;
    throw new Deno.errors.ConnectionRefused(`connect to the socket failed, errno ${why}`);
  }

  /** A descriptor of a file, for reading. */
  file(path: string): number {
    const name = new TextEncoder().encode(`${path}\0`);
    const fd = this.#check("open", this.#libc.symbols.open(name, SOCK_CLOEXEC));
    this.#open.add(fd);
    return fd;
  }

  /** A listening socket that each child inherits which is started while it is open. */
  listen(address: Address, backlog: number): number {
    const fd = this.#check("socket", this.#libc.symbols.socket(familyOf(address), SOCK_STREAM, 0));
    this.#open.add(fd);
    this.#set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    const name = socketName(address);
    this.#check("bind", this.#libc.symbols.bind(fd, name, name.length));
    this.#check("listen", this.#libc.symbols.listen(fd, backlog));
    return fd;
  }

  /** A new socket, and why it could not be connected; 0 where it could. */
  #connect(address: Address, flags: number, from?: Uint8Array) {
    const type = SOCK_STREAM | SOCK_CLOEXEC | flags;
    const fd = this.#check("socket", this.#libc.symbols.socket(familyOf(address), type, 0));
    this.#open.add(fd);
    if (address.transport === "tcp") this.#set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (from !== undefined) {
      const own = fields(u16(AF_UNIX), from);
      this.#check("bind", this.#libc.symbols.bind(fd, own, own.length));
    }
    const name = socketName(address);
    const result = this.#libc.symbols.connect(fd, name, name.length);
    return { fd, why: result === 0 ? 0 : errno(this.#libc) };
  }

  /** Has a TCP connection end with a reset when it is closed, and what was not sent yet dropped. */
  resetAtClose(fd: number): void {
    // struct linger { int l_onoff; int l_linger; }
    this.#set(fd, SOL_SOCKET, SO_LINGER, 1, 0);
  }

  /** Ends a connection in both directions, and keeps the descriptor. */
  shutDown(fd: number): void {
    this.#libc.symbols.shutdown(fd, SHUT_RDWR);
  }

  /** Sends a byte of TCP's urgent data, as far as it goes now. */
  sendUrgent(fd: number, byte: number): void {
    const flags = MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL;
    this.#libc.symbols.send(fd, Uint8Array.of(byte), 1n, flags);
  }

  /** Sends the bytes and, with them, copies of descriptors. */
  sendWithDescriptors(fd: number, bytes: Uint8Array, passed: readonly number[]): void {
    // struct iovec { void *iov_base; size_t iov_len; }
    const iovec = fields(pointer(bytes), u64(bytes.length));
    // struct cmsghdr { size_t cmsg_len; int cmsg_level; int cmsg_type; } and its data
    const rights = Int32Array.from(passed);
    const content = fields(u32(SOL_SOCKET), u32(SCM_RIGHTS), bytesOf(rights));
    const length = 8 + content.length;
    const control = fields(u64(length), content, new Uint8Array((8 - length % 8) % 8));
    // struct msghdr { void *msg_name; socklen_t msg_namelen; struct iovec *msg_iov;
    //   size_t msg_iovlen; void *msg_control; size_t msg_controllen; int msg_flags; }
    const message = fields(
      u64(0),
      u64(0),
      pointer(iovec),
      u64(1),
      pointer(control),
      u64(control.length),
      u64(0),
    );
    // The message holds addresses only: what lies there must outlive the call.
    this.#held = [bytes, iovec, control];
    const sent = this.#libc.symbols.sendmsg(fd, message, MSG_NOSIGNAL);
    this.#held = [];
    this.#check("sendmsg", Number(sent));
  }

  /** Sends until the other side has room for no more. */
  fill(fd: number): void {
    const bytes = new Uint8Array(READ_SIZE);
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    for (let size = bytes.length; size > 0;) {
      // Smaller pieces may still find room where a large one does not.
      if (this.#libc.symbols.send(fd, bytes, BigInt(size), flags) < 0n) size >>= 1;
    }
  }

  /** A client that talks over the descriptor and closes it in the end. */
  client(fd: number): Client {
    return new Client(new DescriptorWire(this.#libc, fd, () => this.close(fd)));
  }

  close(fd: number): void {
    if (this.#open.delete(fd)) this.#libc.symbols.close(fd);
  }

  [Symbol.dispose](): void {
    for (const fd of [...this.#open]) this.close(fd);
    this.#libc.close();
  }

  #set(fd: number, level: number, option: number, ...values: readonly number[]): void {
    const value = bytesOf(Int32Array.from(values));
    this.#check(
      "setsockopt",
      this.#libc.symbols.setsockopt(fd, level, option, value, value.length),
    );
  }

  #check(call: string, result: number): number {
    if (result < 0) throw new Error(`${call} failed, errno ${errno(this.#libc)}`);
    return result;
  }
}

/** Bytes to and from a descriptor, without ever blocking the test. */
class DescriptorWire implements Wire {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #release: () => void;
  readonly #buffer = new Uint8Array(READ_SIZE);
  #open = true;
  #wake = () => {};

  constructor(libc: Libc, fd: number, release: () => void) {
    this.#libc = libc;
    this.#fd = fd;
    this.#release = release;
  }

  async write(bytes: Uint8Array): Promise<number> {
    while (this.#open) {
      const sent = Number(
        this.#libc.symbols.send(
          this.#fd,
          bytes as BufferSource,
          BigInt(bytes.length),
          MSG_DONTWAIT | MSG_NOSIGNAL,
        ),
      );
      if (sent >= 0) return sent;
      if (errno(this.#libc) !== EAGAIN) throw new Deno.errors.BrokenPipe("send failed");
      await this.#lookAgain();
    }
    throw new Deno.errors.BrokenPipe("closed before all was sent");
  }

  async read(): Promise<Uint8Array | null> {
    let strange = 0;
    while (this.#open) {
      const length = Number(
        this.#libc.symbols.recv(this.#fd, this.#buffer, BigInt(READ_SIZE), MSG_DONTWAIT),
      );
      if (length > 0) return this.#buffer.slice(0, length);
      if (length === 0) return null;
      const why = errno(this.#libc);
      if (GONE.includes(why)) return null;
      // The runtime may have overwritten errno, once; it does not do so again and again.
      if (why !== EAGAIN && ++strange > STRANGE_MAX) throw new Error(`recv failed, errno ${why}`);
      await this.#lookAgain();
    }
    return null;
  }

  async drained(): Promise<void> {
    const unread = new Int32Array(1);
    await waitUntil("what was sent to be read", () => {
      if (this.#libc.symbols.ioctl(this.#fd, SIOCOUTQ, bytesOf(unread)) < 0) {
        throw new Error(`ioctl SIOCOUTQ failed, errno ${errno(this.#libc)}`);
      }
      return unread[0] === 0;
    });
  }

  async closeWrite(): Promise<void> {
    this.#libc.symbols.shutdown(this.#fd, SHUT_WR);
  }

  close(): void {
    this.#open = false;
    this.#wake();
    this.#release();
  }

  #lookAgain(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK_AGAIN_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function familyOf(address: Address): number {
  return address.transport === "unix" ? AF_UNIX : AF_INET;
}

/** `struct sockaddr` of an address. */
export function socketName(address: Address): Uint8Array<ArrayBuffer> {
  if (address.transport === "unix") {
    // struct sockaddr_un { sa_family_t sun_family; char sun_path[108]; }
    const path = new TextEncoder().encode(address.path);
    if (path.length >= UNIX_PATH_SIZE) throw new Error(`too long for a socket: "${address.path}"`);
    return fields(u16(AF_UNIX), path, new Uint8Array(UNIX_PATH_SIZE - path.length));
  }
  // struct sockaddr_in { sa_family_t sin_family; in_port_t sin_port; struct in_addr sin_addr;
  //   char sin_zero[8]; }, port and address big-endian
  return fields(
    u16(AF_INET),
    Uint8Array.of(address.port >> 8, address.port),
    Uint8Array.from(address.hostname.split(".").map(Number)),
    u64(0),
  );
}

function errno(libc: Libc): number {
  const location = libc.symbols.__errno_location();
  return location === null ? 0 : new Deno.UnsafePointerView(location).getInt32(0);
}

function bytesOf(array: Int32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(array.buffer);
}

/** Numbers of C structures, in this machine's byte order. */
function u16(value: number): Uint8Array {
  return new Uint8Array(Uint16Array.of(value).buffer);
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function u64(value: number | bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}

function pointer(bytes: Uint8Array): Uint8Array {
  return u64(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes as BufferSource)));
}
