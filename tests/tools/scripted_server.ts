// A server that keeps what it is sent and answers as a script says, over a Unix socket: for looking at
// what tools send, and at what they make of servers that answer badly or not at all.

import { pause } from "../support/wait.ts";
import { TempDir } from "../support/temp_dir.ts";

/** What one connection gets for each piece of bytes that it sends, in order; then silence. */
export type Script = readonly Answer[];

/** Pieces that are sent one after the other; behind `close` the connection is closed. */
export interface Answer {
  readonly pieces?: readonly (readonly number[])[];
  readonly close?: true;
}

/** Time between two pieces, so that the other side reads each of them by itself. */
const BETWEEN_PIECES_MS = 100;

/** `await using` closes it. */
export class ScriptedServer implements AsyncDisposable {
  readonly #folder = new TempDir("swtpm-scripted-");
  readonly path = this.#folder.join("socket");
  /** What came, a row for each connection. */
  readonly received: number[][] = [];
  readonly #listener: Deno.UnixListener;
  readonly #connections: Deno.Conn[] = [];
  readonly #serving: Promise<void>;

  /** `answer` is asked with all that a connection has sent so far. */
  constructor(private readonly answer: (sent: readonly number[], index: number) => Answer) {
    this.#listener = Deno.listen({ transport: "unix", path: this.path });
    this.#serving = this.#serve();
  }

  /** Plays the same script to each connection. */
  static playing(script: Script): ScriptedServer {
    return new ScriptedServer((_sent, index) => script[index] ?? {});
  }

  async #serve(): Promise<void> {
    const connections: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) connections.push(this.#talk(connection));
    } finally {
      await Promise.allSettled(connections);
    }
  }

  async #talk(connection: Deno.Conn): Promise<void> {
    this.#connections.push(connection);
    const sent: number[] = [];
    this.received.push(sent);
    const buffer = new Uint8Array(64 * 1024);
    for (let index = 0;; index++) {
      const count = await connection.read(buffer).catch(() => null);
      if (count === null) return;
      sent.push(...buffer.subarray(0, count));
      const { pieces = [], close } = this.answer(sent, index);
      for (const [number, piece] of pieces.entries()) {
        if (number > 0) await pause(BETWEEN_PIECES_MS);
        // Whoever asked may have gone.
        await connection.write(Uint8Array.from(piece)).catch(() => {});
      }
      if (close) return closed(connection);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) closed(connection);
    await this.#serving;
    await this.#folder[Symbol.asyncDispose]();
  }
}

function closed(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
