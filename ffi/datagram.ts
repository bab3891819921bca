// A Unix datagram socket to somebody who only listens: how a service tells its manager what it is
// about. What is said is the daemon's affair.
import { type Libc, openLibc } from "./libc.ts";
import { UNIX_PATH_MAX } from "./unix_path.ts";

const symbols = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  /** int connect(int fd, const struct sockaddr *, socklen_t) */
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** `struct sockaddr_un`: u16 family, char path[108]. */
const PATH_OFFSET = 2;

export class DatagramSocket {
  readonly #c = openLibc(symbols);
  readonly #fd: number;

  /** Connects to a path, or to an abstract name that begins with `@`. Throws SystemError. */
  constructor(libc: Libc, name: string) {
    const path = new TextEncoder().encode(name.replace(/^@/, "\0"));
    if (path.length > UNIX_PATH_MAX) throw new RangeError(`the path '${name}' is too long`);
    const address = new Uint8Array(PATH_OFFSET + path.length);
    new DataView(address.buffer).setUint16(0, AF_UNIX, true);
    address.set(path, PATH_OFFSET);
    this.#fd = libc.check(this.#c.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    if (this.#c.connect(this.#fd, address, address.length) < 0) {
      const error = libc.error("connect", name);
      this.#c.close(this.#fd);
      throw error;
    }
  }

  /** Sends a message if there is room for it; nobody is told when there is not. */
  send(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#c.send(this.#fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  close(): void {
    this.#c.close(this.#fd);
  }
}
