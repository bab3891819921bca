// States in memory, gone with the process: for tests, and for a TPM that nothing should remain of.
import { type Backend, STATE_NAMES, type StateName } from "./backend.ts";

export class MemoryBackend implements Backend {
  readonly uri = "memory://";
  readonly #states = new Map<StateName, Uint8Array<ArrayBuffer>>();

  nameOf(name: StateName): string {
    return `the state '${name}' in memory`;
  }

  prepare(): void {}

  load(name: StateName): Uint8Array<ArrayBuffer> | undefined {
    return this.#states.get(name)?.slice();
  }

  store(name: StateName, bytes: Uint8Array<ArrayBuffer>): void {
    this.#states.get(name)?.fill(0);
    this.#states.set(name, bytes.slice());
  }

  remove(name: StateName): boolean {
    this.#states.get(name)?.fill(0);
    return this.#states.delete(name);
  }

  size(name: StateName): number | undefined {
    return this.#states.get(name)?.length;
  }

  swapBackup(): boolean {
    return false;
  }

  get locked(): boolean {
    return true;
  }

  lock(): void {}

  unlock(): void {}

  close(): void {
    for (const name of STATE_NAMES) this.remove(name);
  }
}
