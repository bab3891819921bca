// A stream connection read and written line by line, and the listener it comes from.
// QEMU dials out to us, so nobody polls for a socket to appear. What lines mean is the caller's.

/** A peer that speaks in lines. */
export class LineConnection implements Disposable {
  readonly #conn: Deno.Conn;
  readonly #decoder = new TextDecoder();
  readonly #buffer = new Uint8Array(65536);
  #pending = "";

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** The next line without its end, or null once the peer has closed. */
  async read(): Promise<string | null> {
    for (;;) {
      const end = this.#pending.indexOf("\n");
      if (end >= 0) {
        const line = this.#pending.slice(0, end);
        this.#pending = this.#pending.slice(end + 1);
        return line.replace(/\r$/, "");
      }
      const count = await this.#conn.read(this.#buffer);
      if (count === null) return null;
      this.#pending += this.#decoder.decode(this.#buffer.subarray(0, count), { stream: true });
    }
  }

  /** Sends one line. */
  async write(line: string): Promise<void> {
    let bytes = new TextEncoder().encode(`${line}\n`);
    while (bytes.length > 0) bytes = bytes.subarray(await this.#conn.write(bytes));
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}
