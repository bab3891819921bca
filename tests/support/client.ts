// Raw clients of an emulator's two channels: they send exactly the bytes they are given, whole or
// in pieces, and say what came back, silence and hang-up included. Leaves the meaning of the
// bytes to control.ts, tpm2.ts and tpm12.ts, and descriptors to fd_passing.ts.

import { LATE, orLate, PATIENCE_MS, pause, TimeoutError, waitUntil } from "./wait.ts";
import { hex } from "./bytes.ts";
import { controlAnswerLength, controlMessage } from "./control.ts";

/** Where an emulator listens. */
export type Address =
  | { readonly transport: "unix"; readonly path: string }
  | { readonly transport: "tcp"; readonly hostname: string; readonly port: number };

/** What a client saw within some time. */
export interface Seen {
  readonly bytes: Uint8Array;
  /** True when the emulator has closed the connection after these bytes. */
  readonly closed: boolean;
}

/** Time between two pieces, so that the other side most likely reads each of them by itself. */
const BETWEEN_PIECES_MS = 20;

const READ_SIZE = 64 * 1024;

/** Bytes to and from one socket; what a connected Deno.Conn and a bare descriptor share. */
export interface Wire {
  /** Writes some of the bytes, at least one, and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Reads what is there, at least one byte; null at the end, also after a reset. */
  read(): Promise<Uint8Array | null>;
  /** Waits until the other side has read all that was written, where that can be seen. */
  drained?(): Promise<void>;
  /** Says that nothing more will be sent. */
  closeWrite(): Promise<void>;
  close(): void;
}

/** One connection to an emulator; `using` closes it. */
export class Client implements Disposable {
  readonly #wire: Wire;
  /** A read that has been asked for and has not yielded yet; it survives a timeout. */
  #reading: Promise<Uint8Array | null> | undefined;
  #unread: Uint8Array = new Uint8Array(0);
  #closed = false;
  #open = true;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Connects to an address that is being listened on. */
  static async connect(address: Address): Promise<Client> {
    const connection = address.transport === "unix"
      ? await connectUnix(address.path)
      : await Deno.connect({ hostname: address.hostname, port: address.port });
    if (address.transport === "tcp") (connection as Deno.TcpConn).setNoDelay(true);
    return new Client(new ConnectionWire(connection));
  }

  /** Sends all the bytes, in one segment as long as the socket has room. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.#wire.write(bytes.subarray(sent));
  }

  /**
   * Sends the bytes in pieces of these sizes, the last of which repeats. Each piece is read before
   * the next one is sent; where that can not be seen, a pause lies between.
   */
  async sendSplit(bytes: Uint8Array, sizes: readonly number[]): Promise<void> {
    let sent = 0;
    for (let piece = 0; sent < bytes.length; piece++) {
      const size = sizes[Math.min(piece, sizes.length - 1)] ?? bytes.length;
      if (size < 1) throw new RangeError(`a piece of ${size} bytes can not be sent`);
      if (sent > 0) {
        if (this.#wire.drained === undefined) await pause(BETWEEN_PIECES_MS);
        else await this.#wire.drained();
      }
      await this.send(bytes.subarray(sent, sent + size));
      sent += size;
    }
  }

  /** Exactly `length` bytes. Throws when the connection ends or `timeoutMs` pass before. */
  async receive(length: number, timeoutMs = PATIENCE_MS): Promise<Uint8Array> {
    await this.#fill(length, timeoutMs);
    const bytes = this.#unread.slice(0, length);
    this.#unread = this.#unread.subarray(length);
    return bytes;
  }

  /** Looks at the next bytes and leaves them to be received. */
  async peek(length: number, timeoutMs = PATIENCE_MS): Promise<Uint8Array> {
    await this.#fill(length, timeoutMs);
    return this.#unread.slice(0, length);
  }

  /**
   * What comes until nothing has come for `quietMs`. The first byte may take `firstMs`. For
   * seeing that nothing (more) comes; an answer of known length is better received.
   */
  async receiveUntilQuiet(quietMs: number, firstMs = quietMs): Promise<Seen> {
    while (!this.#closed) {
      const more = await this.#more(this.#unread.length === 0 ? firstMs : quietMs);
      if (more === LATE) break;
    }
    const bytes = this.#unread.slice();
    this.#unread = new Uint8Array(0);
    return { bytes, closed: this.#closed };
  }

  /** Waits until the emulator closes the connection; returns the bytes that came before that. */
  async receiveUntilClosed(timeoutMs = PATIENCE_MS): Promise<Uint8Array> {
    const end = performance.now() + timeoutMs;
    while (!this.#closed) {
      if (await this.#more(end - performance.now()) === LATE) {
        throw new TimeoutError(
          `waited ${timeoutMs} ms in vain for the end of the connection` + this.#gotSoFar(),
        );
      }
    }
    const bytes = this.#unread.slice();
    this.#unread = new Uint8Array(0);
    return bytes;
  }

  /** How many bytes have come by now that were not asked for yet. */
  async receivedLength(): Promise<number> {
    if (!this.#closed) await this.#more(0);
    return this.#unread.length;
  }

  /** Says that nothing more will be sent; answers can still be received. */
  async closeWrite(): Promise<void> {
    await this.#wire.closeWrite();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reading?.catch(() => {});
    this.#wire.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #fill(length: number, timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (this.#unread.length < length) {
      if (this.#closed) {
        throw new Error(`the connection ended before ${length} bytes came` + this.#gotSoFar());
      }
      if (await this.#more(end - performance.now()) === LATE) {
        throw new TimeoutError(
          `waited ${timeoutMs} ms in vain for ${length} bytes` + this.#gotSoFar(),
        );
      }
    }
  }

  #gotSoFar(): string {
    return `; got ${this.#unread.length} bytes: ${hex(this.#unread.subarray(0, 64))}`;
  }

  async #more(timeoutMs: number): Promise<typeof LATE | void> {
    this.#reading ??= this.#wire.read();
    const chunk = await orLate(this.#reading, timeoutMs);
    if (chunk === LATE) return LATE;
    this.#reading = undefined;
    if (chunk === null) {
      this.#closed = true;
      return;
    }
    const joined = new Uint8Array(this.#unread.length + chunk.length);
    joined.set(this.#unread);
    joined.set(chunk, this.#unread.length);
    this.#unread = joined;
  }
}

/** A client of the data channel: whole TPM commands and their answers. */
export class DataClient {
  readonly wire: Client;

  constructor(wire: Client) {
    this.wire = wire;
  }

  static async connect(address: Address): Promise<DataClient> {
    return new DataClient(await Client.connect(address));
  }

  /** Sends one TPM command and returns the answer, whose length its header tells. */
  async command(bytes: Uint8Array, timeoutMs = PATIENCE_MS): Promise<Uint8Array> {
    await this.wire.send(bytes);
    return await this.answer(timeoutMs);
  }

  /** The next answer: header (tag, size, code) and the rest that the size announces. */
  async answer(timeoutMs = PATIENCE_MS): Promise<Uint8Array> {
    const header = await this.wire.peek(6, timeoutMs);
    const size = new DataView(header.buffer).getUint32(2);
    if (size < 10 || size > 0x10000) {
      throw new Error(`an answer of ${size} bytes is announced: ${hex(header)}`);
    }
    return await this.wire.receive(size, timeoutMs);
  }

  close(): void {
    this.wire.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A client of the control channel: numbered commands and their answers. */
export class ControlClient {
  readonly wire: Client;

  constructor(wire: Client) {
    this.wire = wire;
  }

  static async connect(address: Address): Promise<ControlClient> {
    return new ControlClient(await Client.connect(address));
  }

  /** Sends a command with its payload in one segment and returns the whole answer. */
  async command(
    number: number,
    payload: Uint8Array = new Uint8Array(0),
    timeoutMs = PATIENCE_MS,
  ): Promise<Uint8Array> {
    await this.wire.send(controlMessage(number, payload));
    return await this.answer(number, timeoutMs);
  }

  /** The next answer; its length follows from the command and the result it begins with. */
  async answer(number: number, timeoutMs = PATIENCE_MS): Promise<Uint8Array> {
    for (let known = 4;;) {
      const length = controlAnswerLength(number, await this.wire.peek(known, timeoutMs));
      if (length <= known) return await this.wire.receive(length, timeoutMs);
      known = length;
    }
  }

  close(): void {
    this.wire.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * A full backlog makes a Unix socket refuse a connection for the moment; a TCP socket makes the
 * client wait by itself.
 */
function connectUnix(path: string): Promise<Deno.UnixConn> {
  return waitUntil(`room in the backlog of ${path}`, async () => {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch (error) {
      if (error instanceof Deno.errors.WouldBlock) return undefined;
      throw error;
    }
  });
}

/** A connection that Deno opened. */
class ConnectionWire implements Wire {
  readonly #connection: Deno.Conn;
  readonly #buffer = new Uint8Array(READ_SIZE);

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#connection.write(bytes);
  }

  async read(): Promise<Uint8Array | null> {
    try {
      const length = await this.#connection.read(this.#buffer);
      return length === null ? null : this.#buffer.slice(0, length);
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) return null;
      throw error;
    }
  }

  closeWrite(): Promise<void> {
    return this.#connection.closeWrite();
  }

  close(): void {
    this.#connection.close();
  }
}
