// No storage at all: the TPM cannot start, and says why when it is asked to.
import type { Backend } from "./backend.ts";
import { StateError } from "./error.ts";

export class MissingBackend implements Backend {
  readonly uri = "(none)";
  readonly locked = true;

  constructor(private readonly reason: string) {}

  nameOf(name: string): string {
    return `the state '${name}'`;
  }

  prepare(): void {
    throw new StateError(this.reason);
  }

  load(): never {
    throw new StateError(this.reason);
  }

  store(): never {
    throw new StateError(this.reason);
  }

  remove(): never {
    throw new StateError(this.reason);
  }

  size(): never {
    throw new StateError(this.reason);
  }

  swapBackup(): boolean {
    return false;
  }

  lock(): void {
    throw new StateError(this.reason);
  }

  unlock(): void {}

  close(): void {}
}
