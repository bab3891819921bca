// Where the lines of a trace go: a file, a pipe, a terminal. Nobody waits for whoever reads them; what
// is lost is counted, and told as soon as something can be told again.
import { type Files, O } from "../../ffi/files.ts";
import { Sink } from "../../ffi/sink.ts";
import type { TraceConfig } from "../config.ts";

/** It tells who did what, and with `secrets` much more. */
const FILE_MODE = 0o600;

export class TraceFile {
  readonly #encoder = new TextEncoder();
  #lost = 0;
  /** Why the last lines could not be written, if so. */
  #failure: string | undefined;

  constructor(
    private readonly sink: Pick<Sink, "write">,
    /** The line that tells of so many lost ones. */
    private readonly lostLine: (count: number) => string,
    /** Told when the trace cannot be written, once. */
    private readonly report: (message: string) => void,
  ) {}

  /** Throws SystemError, and where the descriptor cannot be written to. */
  static openSink(files: Files, { file, fd }: TraceConfig): Sink {
    if (file === undefined) {
      if (files.accessMode(fd!) === O.RDONLY) {
        throw new Error(`descriptor ${fd} for the trace is not open for writing`);
      }
      return Sink.into(files, fd!);
    }
    const flags = O.WRONLY | O.CREAT | O.APPEND | O.NONBLOCK | O.NOFOLLOW;
    const opened = files.open(file, flags, FILE_MODE);
    if (files.status(opened, file).kind === "file") files.chmod(opened, FILE_MODE, file);
    return Sink.into(files, opened);
  }

  /** Takes `count` whole lines. */
  write(lines: string, count: number): void {
    if (this.#written(this.#lostText() + lines)) this.#lost = 0;
    else this.#lost += count;
  }

  /** What was lost at the end is told, if that is possible now. */
  close(): void {
    if (this.#lost > 0) this.#written(this.#lostText());
  }

  #lostText(): string {
    if (this.#lost === 0) return "";
    // The last line may have been cut where the disk was full.
    return (this.#failure === undefined ? "" : "\n") + this.lostLine(this.#lost);
  }

  #written(lines: string): boolean {
    try {
      if (!this.sink.write(this.#encoder.encode(lines))) return false;
      this.#failure = undefined;
      return true;
    } catch (error) {
      const { message } = error as Error;
      if (this.#failure === undefined) {
        this.report(`The trace cannot be written: ${message}; what is lost will be told there`);
      }
      this.#failure = message;
      return false;
    }
  }
}
