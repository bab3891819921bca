// The backup of a state file: how it comes to be when the state is replaced, and how it takes the
// state's place. Only whoever has the lock on the states may do any of it.
import type { Files } from "../ffi/files.ts";
import { Errno, SystemError } from "../ffi/libc.ts";

/** A state and its backup, by their names in a directory that is open. */
export class Backup {
  readonly name: string;

  constructor(private readonly files: Files, private readonly file: string) {
    this.name = `${file}.bak`;
  }

  /** Puts `temp` in the place of the state, which becomes the backup. */
  replace(temp: string, directory: number): void {
    try {
      this.files.exchange(temp, this.file, directory);
    } catch (error) {
      if (this.#isMissing(error, directory)) {
        this.files.rename(temp, this.file, directory);
      } else this.#replaceInSteps(temp, directory);
      return;
    }
    try {
      this.files.rename(temp, this.name, directory);
    } catch (error) {
      this.files.exchange(temp, this.file, directory);
      throw error;
    }
  }

  /** The same where names cannot be exchanged: there is no state for a moment, but its backup. */
  #replaceInSteps(temp: string, directory: number): void {
    this.files.rename(this.file, this.name, directory);
    this.#renameOr(temp, directory, () => this.files.rename(this.name, this.file, directory));
  }

  /** The state and its backup change places; false where there is no backup. */
  swap(directory: number): boolean {
    if (this.files.statusOf(this.name, directory) === undefined) return false;
    try {
      this.files.exchange(this.name, this.file, directory);
    } catch (error) {
      if (this.#isMissing(error, directory)) this.#restore(directory);
      else this.#swapInSteps(directory);
    }
    return true;
  }

  #swapInSteps(directory: number): void {
    const aside = `${this.file}.tmp`;
    this.files.rename(this.file, aside, directory);
    this.#renameOr(this.name, directory, () => this.files.rename(aside, this.file, directory));
    this.files.rename(aside, this.name, directory);
  }

  /** A backup without a state is what remains of a store that was cut off; false where both are. */
  restoreMissing(directory: number): boolean {
    if (this.files.statusOf(this.file, directory) !== undefined) return false;
    if (this.files.statusOf(this.name, directory) === undefined) return false;
    this.#restore(directory);
    return true;
  }

  #restore(directory: number): void {
    this.files.rename(this.name, this.file, directory);
  }

  #renameOr(from: string, directory: number, undo: () => void): void {
    try {
      this.files.rename(from, this.file, directory);
    } catch (error) {
      undo();
      throw error;
    }
  }

  /**
   * Whether there is no state to exchange: some systems say that they cannot do it at all before they
   * look.
   */
  #isMissing(error: unknown, directory: number): boolean {
    if (error instanceof SystemError && error.errno === Errno.ENOENT) return true;
    return this.files.statusOf(this.file, directory) === undefined;
  }
}
