// The log: lines with a prefix to a descriptor, filtered by their depth. What is worth a line is
// decided where it happens.
import { type Files, O } from "../ffi/files.ts";
import type { Tap } from "../tpm/tap.ts";

/** What `--log` says. */
export interface LogConfig {
  /** A file's path; `-` keeps silent. */
  file?: string;
  fd?: number;
  /** 0: nothing, 1: messages, 2: traffic, 3 and 4: details, from 5 on also libtpms' own lines. */
  level: number;
  prefix: string;
  truncate: boolean;
}

/** Without `--log`: messages to stderr. */
export const LOG_DEFAULT: LogConfig = { fd: 2, level: 1, prefix: "swtpm: ", truncate: false };

const FILE_MODE = 0o600;
const DUMP_WIDTH = 16;
/** From this level on libtpms logs, too; its own levels begin at 1 there. */
const LIBTPMS_LEVEL = 5;

export class Log {
  readonly #encoder = new TextEncoder();

  private constructor(
    private readonly files: Files,
    /** Undefined keeps silent. */
    readonly fd: number | undefined,
    readonly level: number,
    readonly prefix: string,
  ) {}

  /** Throws when the file cannot be opened or the descriptor not written to. */
  static open(files: Files, config: LogConfig): Log {
    const { file, level, prefix, truncate } = config;
    if (file === "-") return new Log(files, undefined, level, prefix);
    if (file !== undefined) {
      const flags = O.WRONLY | O.CREAT | O.NOFOLLOW | (truncate ? O.TRUNC : O.APPEND);
      return new Log(files, openFile(files, file, flags), level, prefix);
    }
    const fd = config.fd ?? 2;
    if (files.accessMode(fd) === O.RDONLY) {
      throw new Error(`descriptor ${fd} for the log is not open for writing`);
    }
    return new Log(files, fd, level, prefix);
  }

  /** A line; the deeper it is, the higher the level that shows it. */
  line(text: string, depth = 0): void {
    if (this.fd === undefined || depth > this.level - 1) return;
    try {
      this.files.write(
        this.fd,
        this.#encoder.encode(`${this.prefix}${" ".repeat(depth)}${text}\n`),
      );
    } catch {
      // A log that cannot be written is no reason to end the TPM, and there is nobody to tell.
    }
  }

  /** Bytes that passed by, at most `max` of them. */
  dump(name: string, bytes: Uint8Array, max = Infinity): void {
    if (this.level < 2 || this.fd === undefined) return;
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
    return this.level >= 2 && this.fd !== undefined;
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

function openFile(files: Files, path: string, flags: number): number {
  try {
    return files.open(path, flags, FILE_MODE);
  } catch (cause) {
    throw new Error(`Could not open the log: ${(cause as Error).message}`, { cause });
  }
}
