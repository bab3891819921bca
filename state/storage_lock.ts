// When the lock on the stored state is taken and given up: at the start of the TPM, or with its
// first command where the state is still on its way here (swtpm(8), --migration incoming).
import type { Backend } from "./backend.ts";

/** Attempts after the state was handed out: the other side may take a while to let go again. */
const RETRIES_AFTER_RELEASE = 300;
const RETRY_MS = 10;

export class StorageLock {
  #prepared = false;
  #retries = 0;
  #abandoned = false;
  /** Whether the start that goes on found it free. */
  #free = false;

  /** `incoming`: another process may still hold the lock when the TPM starts. */
  constructor(private readonly backend: Backend, private incoming: boolean) {}

  /** From now on there is something to lock. */
  prepare(): void {
    this.#prepared = true;
    this.#free = false;
  }

  /** Before a start of the TPM reads a state. Throws StateError when another process has the lock. */
  atStart(): void {
    this.#free = !this.backend.locked;
    if (!this.incoming) this.backend.lock();
  }

  /** The start has failed: what it took is given back. */
  startFailed(): void {
    if (this.#free) this.backend.unlock();
  }

  /**
   * Before the state is used. Undefined when the lock is held, or nothing is to be locked; else a
   * promise that fails with StateError when the last attempt failed.
   */
  ensure(): Promise<void> | undefined {
    if (this.backend.locked || !this.#prepared) return undefined;
    return this.#acquire();
  }

  /** CMD_LOCK_STORAGE: the same with so many more attempts. */
  lock(retries: number): Promise<void> | undefined {
    this.#retries = retries;
    return this.ensure();
  }

  /** Before states are received, which start the TPM next. */
  beforeReceiving(): Promise<void> | undefined {
    this.prepare();
    this.backend.prepare();
    return this.ensure();
  }

  /** After the last state was handed out: another process may take over. */
  release(): void {
    this.backend.unlock();
    this.#retries = RETRIES_AFTER_RELEASE;
  }

  /** The process ends: who waits for the lock is told that the last attempt failed. */
  abandon(): void {
    this.#abandoned = true;
  }

  async #acquire(): Promise<void> {
    for (let left = this.#retries;; left--) {
      try {
        this.backend.lock();
        break;
      } catch (error) {
        if (left <= 0 || this.#abandoned) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    this.incoming = false;
    this.#retries = 0;
  }
}
