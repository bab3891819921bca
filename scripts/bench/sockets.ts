// Blocking connections of the benchmark's clients: connect, send a command, read its whole answer.
// What commands mean is left to the jobs.

import type { Address } from "../../tests/support/client.ts";
import { CMD, controlMessage } from "../../tests/support/control.ts";
import { Descriptors, socketName } from "../../tests/support/fd_passing.ts";
import type { Libc } from "./libc.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const POLLIN = 1;
/** The largest answer of a TPM. */
const ANSWER_SIZE_MAX = 4096;
/** Header of a TPM answer: tag, size, code. */
const HEADER_SIZE = 10;

/** A way to a server's data channel. */
export type Door =
  | { readonly kind: "connect"; readonly address: Address }
  /** As QEMU does it: one end of a socket pair goes over the control channel. */
  | { readonly kind: "datafd"; readonly control: Address };

/** A connection whose calls block; made once, used without making garbage. */
export class Connection implements Disposable {
  /** The last answer is at the front of it. */
  readonly answer = new Uint8Array(ANSWER_SIZE_MAX);
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #pollfd = new Uint8Array(8);
  readonly #resources: DisposableStack;

  private constructor(libc: Libc, fd: number, resources: DisposableStack) {
    this.#libc = libc;
    this.#fd = fd;
    this.#resources = resources;
    // struct pollfd { int fd; short events; short revents; }
    new Int32Array(this.#pollfd.buffer, 0, 1)[0] = fd;
    new Int16Array(this.#pollfd.buffer, 4, 1)[0] = POLLIN;
  }

  /** Connects; undefined while nobody listens there. */
  static attempt(libc: Libc, address: Address): Connection | undefined {
    const family = address.transport === "unix" ? AF_UNIX : AF_INET;
    const fd = libc.check("socket", libc.call.socket(family, SOCK_STREAM, 0));
    const name = socketName(address);
    if (libc.call.connect(fd, name, name.length) < 0) {
      libc.call.close(fd);
      return undefined;
    }
    if (family === AF_INET) {
      const on = new Uint8Array(Int32Array.of(1).buffer);
      libc.check(
        "setsockopt",
        libc.call.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, on, on.length),
      );
    }
    const resources = new DisposableStack();
    resources.defer(() => libc.call.close(fd));
    return new Connection(libc, fd, resources);
  }

  /** Connects to a server that listens. */
  static to(libc: Libc, address: Address): Connection {
    const connection = Connection.attempt(libc, address);
    if (connection === undefined) {
      throw new Error(`cannot connect to ${JSON.stringify(address)}, errno ${libc.errno}`);
    }
    return connection;
  }

  /** Goes through the door; a passed descriptor lives as long as its control connection. */
  static through(libc: Libc, door: Door): Connection {
    if (door.kind === "connect") return Connection.to(libc, door.address);
    const resources = new DisposableStack();
    const descriptors = resources.use(new Descriptors());
    const control = descriptors.connect(door.control);
    const [mine, theirs] = descriptors.socketPair();
    descriptors.sendWithDescriptors(control, controlMessage(CMD.SET_DATAFD), [theirs]);
    descriptors.close(theirs);
    const result = new Uint8Array(4);
    libc.check("read", libc.call.read(control, result, result.length));
    if (result.some((byte) => byte !== 0)) throw new Error(`SET_DATAFD was answered ${result}`);
    return new Connection(libc, mine, resources);
  }

  /** Sends bytes; they are few enough to go at once. */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    const sent = this.#libc.call.write(this.#fd, bytes, bytes.length);
    if (sent !== bytes.length) throw new Error(`sent ${sent} of ${bytes.length} bytes`);
  }

  /** Waits for an answer of known size. */
  receive(size: number): void {
    let count = this.#libc.call.read(this.#fd, this.answer, ANSWER_SIZE_MAX);
    while (count < size) count += this.#more(count);
  }

  /** Waits for a TPM's answer, whose header tells its size, and gives its code. */
  receiveAnswer(): number {
    const { answer } = this;
    let count = this.#libc.call.read(this.#fd, answer, ANSWER_SIZE_MAX);
    while (count < HEADER_SIZE || count < this.#answerSize) count += this.#more(count);
    return answer[6]! << 24 | answer[7]! << 16 | answer[8]! << 8 | answer[9]!;
  }

  /** The answer that {@linkcode receiveAnswer} waited for, no more and no less. */
  get wholeAnswer(): Uint8Array<ArrayBuffer> {
    return this.answer.subarray(0, this.#answerSize);
  }

  get #answerSize(): number {
    const { answer } = this;
    return answer[2]! << 24 | answer[3]! << 16 | answer[4]! << 8 | answer[5]!;
  }

  /** Sends a TPM command, waits for the answer; one that is not a success is thrown. */
  command(bytes: Uint8Array<ArrayBuffer>): void {
    this.send(bytes);
    const code = this.receiveAnswer();
    if (code !== 0) throw new Error(`the TPM answered with code 0x${(code >>> 0).toString(16)}`);
  }

  /** Whether something can be read now. */
  get readable(): boolean {
    return this.#libc.check("poll", this.#libc.call.poll(this.#pollfd, 1, 0)) > 0;
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  /** The rare rest of an answer that came in pieces. */
  #more(count: number): number {
    if (count <= 0) throw new Error(`the server closed the connection (read gave ${count})`);
    const more = this.#libc.call.read(
      this.#fd,
      this.answer.subarray(count),
      ANSWER_SIZE_MAX - count,
    );
    if (more <= 0) throw new Error(`the server closed the connection after ${count} bytes`);
    return more;
  }
}
