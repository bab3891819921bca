// Texts that certificates are made with: keys, certificates, configurations. Each is read once, as a
// descriptor has it no second time.
import { UsageError } from "../../cli/usage_error.ts";
import { type Files, O } from "../../ffi/files.ts";

/** In bytes. */
const TEXT_MAX = 1 << 20;

/** Reads the file at `path`, or the descriptor in `fd=N`. Throws SystemError, UsageError. */
export class TextFiles {
  readonly #texts = new Map<string, string>();

  constructor(private readonly files: Files) {}

  read(path: string): string {
    let text = this.#texts.get(path);
    if (text === undefined) {
      text = this.#read(path);
      this.#texts.set(path, text);
    }
    return text;
  }

  #read(path: string): string {
    const passed = /^fd=(\d{1,9})$/.exec(path)?.[1];
    const fd = passed === undefined ? this.files.open(path, O.RDONLY) : Number(passed);
    try {
      const bytes = this.files.readAll(fd, TEXT_MAX, path);
      if (bytes.length > TEXT_MAX) {
        throw new UsageError(`'${path}' is larger than ${TEXT_MAX} bytes`);
      }
      return new TextDecoder().decode(bytes);
    } finally {
      if (passed === undefined) this.files.close(fd);
    }
  }
}
