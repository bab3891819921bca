// What swtpm_setup tells: information on standard output, failures on standard error, or both in a log
// file. With JSON asked for, standard output has that alone.
import { isWatched, print, printAside } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { O } from "../../ffi/files.ts";

const LOG_MODE = 0o640;

export class SetupLog {
  /** `file`: appended to, a link is not followed. Throws SystemError where it cannot be. */
  constructor(
    private readonly system: System,
    private readonly file: string | undefined,
    private readonly quiet: boolean,
  ) {
    if (file !== undefined) this.#append("");
  }

  info(message: string): void {
    if (this.file !== undefined) this.#append(`${message}\n`);
    else if (!this.quiet) print(this.system, `${message}\n`);
  }

  error(message: string): void {
    if (this.file === undefined) printAside(`${message}\n`);
    else this.#append(`${message}\n`);
  }

  /** What takes a while, for who sits at a terminal. */
  progress(message: string): void {
    if (this.file === undefined && isWatched()) printAside(`${message}...\n`);
  }

  #append(text: string): void {
    this.system.files.append(this.file!, text, LOG_MODE, O.NOFOLLOW);
  }
}
