// The log: lines with a prefix to a descriptor, filtered by their depth. Nobody waits for its reader:
// lines that there is no room for are counted. What is worth a line is decided where it happens.
import { type Files, O } from "../../ffi/files.ts";
import { openPatiently } from "../../ffi/patient_open.ts";
import { Sink } from "../../ffi/sink.ts";
import type { Tap } from "../../tpm/tap.ts";
import type { LogConfig } from "../config.ts";

const STDERR = 2;
/** Without `--log`: messages to stderr. */
const WITHOUT = { level: 1, prefix: "swtpm: " } as const;

const FILE_MODE = 0o600;
const DUMP_WIDTH = 16;
/** From this level on libtpms logs, too; its own levels begin at 1 there. */
const LIBTPMS_LEVEL = 5;
/** How often there is a look whether lines that were dropped can be told of. */
const LOOK_AGAIN_MS = 200;

export class Log {
  readonly #encoder = new TextEncoder();
  /** Lines that there was no room for. */
  #dropped = 0;
  #timer: number | undefined;

  private constructor(
    /** Undefined keeps silent. */
    private readonly sink: Sink | undefined,
    readonly level: number,
    readonly prefix: string,
    /** The descriptor that was given, rather than opened by us. */
    private readonly given: number | undefined,
  ) {}

  /**
   * Waits for the reader of a pipe that is named. Throws when the file cannot be opened or the
   * descriptor not written to.
   */
  static async open(files: Files, config: LogConfig | undefined): Promise<Log> {
    if (config === undefined) return Log.onStandardError(files);
    const { file, fd = STDERR, level, prefix } = config;
    if (file === undefined) return new Log(sinkAt(files, fd), level, prefix, fd);
    if (file === "-") return new Log(undefined, level, prefix, undefined);
    const flags = O.WRONLY | O.CREAT | O.NOFOLLOW | (config.truncate ? O.TRUNC : O.APPEND);
    const opened = await openFile(files, file, flags);
    return new Log(Sink.into(files, opened), level, prefix, undefined);
  }

  /** Where nothing was said of a log. Who closes standard error wants to hear nothing. */
  static onStandardError(files: Files): Log {
    const { level, prefix } = WITHOUT;
    try {
      return new Log(sinkAt(files, STDERR), level, prefix, STDERR);
    } catch {
      return new Log(undefined, level, prefix, undefined);
    }
  }

  /** Where libtpms may write, too; undefined keeps silent. */
  get fd(): number | undefined {
    return this.sink?.fd;
  }

  /** Our descriptor for standard output or error, which a process in the background lets go of. */
  get standardFd(): number | undefined {
    return this.given !== undefined && this.given <= STDERR ? this.fd : undefined;
  }

  /** A line; the deeper it is, the higher the level that shows it. */
  line(text: string, depth = 0): void {
    if (this.sink === undefined || depth > this.level - 1) return;
    const room = this.#dropped === 0 || this.#tellDropped();
    if (!room || !this.#write(" ".repeat(depth) + text)) this.#drop();
  }

  /** False where there was no room. */
  #write(text: string): boolean {
    try {
      return this.sink!.write(this.#encoder.encode(`${this.prefix}${text}\n`));
    } catch {
      // A log that cannot be written is no reason to end the TPM, and there is nobody to tell.
      return true;
    }
  }

  #drop(): void {
    this.#dropped++;
    this.#timer ??= setInterval(() => this.#tellDropped(), LOOK_AGAIN_MS);
    Deno.unrefTimer(this.#timer);
  }

  /** False where there is still no room. */
  #tellDropped(): boolean {
    const lines = this.#dropped === 1 ? "1 line was" : `${this.#dropped} lines were`;
    if (!this.#write(`${lines} dropped here, as nobody read the log`)) return false;
    this.#dropped = 0;
    clearInterval(this.#timer);
    this.#timer = undefined;
    return true;
  }

  /** Bytes that passed by, at most `max` of them. */
  dump(name: string, bytes: Uint8Array, max = Infinity): void {
    if (!this.dumps) return;
    this.line(`${name}: length ${bytes.length}`, 1);
    const end = Math.min(bytes.length, max);
    for (let at = 0; at < end; at += DUMP_WIDTH) {
      const row = bytes.subarray(at, Math.min(at + DUMP_WIDTH, end));
      const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, "0").toUpperCase() + " ");
      this.line(hex.join(""), 1);
    }
  }

  /** Whether dumps are shown at all. */
  get dumps(): boolean {
    return this.level >= 2 && this.sink !== undefined;
  }

  /** A tap that dumps what passes on the data channel. */
  tap(): Tap {
    return {
      received: (bytes) => this.dump("SWTPM_IO_Read", bytes),
      sent: (bytes) => this.dump("SWTPM_IO_Write", bytes),
    };
  }

  /** libtpms' own debug level and the prefix of its lines. */
  get libtpms(): { level: number; prefix: string } {
    const level = Math.max(0, this.level - LIBTPMS_LEVEL + 1);
    return { level, prefix: level > 0 ? `${this.prefix}    ` : "" };
  }
}

function sinkAt(files: Files, fd: number): Sink {
  if (files.accessMode(fd) === O.RDONLY) {
    throw new Error(`descriptor ${fd} for the log is not open for writing`);
  }
  return Sink.into(files, fd);
}

async function openFile(files: Files, path: string, flags: number): Promise<number> {
  try {
    return await openPatiently(files, path, flags, FILE_MODE);
  } catch (cause) {
    throw new Error(`Could not open the log: ${(cause as Error).message}`, { cause });
  }
}
