// When the storage is locked and given up, with a backend that another process holds for a while.
import assert from "node:assert/strict";
import { StateError } from "./error.ts";
import { MemoryBackend } from "./memory.ts";
import { StorageLock } from "./storage_lock.ts";

/** A backend that fails to be locked so many times. */
class ContestedBackend extends MemoryBackend {
  attempts = 0;
  prepared = 0;
  taken = false;

  constructor(public failures: number) {
    super();
  }

  override get locked(): boolean {
    return this.taken;
  }

  override prepare(): void {
    this.prepared++;
  }

  override lock(): void {
    if (this.taken) return;
    this.attempts++;
    if (this.failures-- > 0) throw new StateError("taken");
    this.taken = true;
  }

  override unlock(): void {
    this.taken = false;
  }
}

Deno.test("at the start it is taken at once, or not at all", () => {
  const backend = new ContestedBackend(0);
  new StorageLock(backend, false).atStart();
  assert.equal(backend.taken, true);
  assert.throws(() => new StorageLock(new ContestedBackend(1), false).atStart(), /taken/);
});

Deno.test("a start that failed gives back what it took, and nothing else", () => {
  const backend = new ContestedBackend(0);
  const lock = new StorageLock(backend, false);
  lock.prepare();
  lock.atStart();
  lock.startFailed();
  assert.equal(backend.taken, false);
  lock.prepare();
  lock.atStart();
  // The next start of the same TPM finds it taken, or does not come so far.
  lock.prepare();
  lock.startFailed();
  lock.atStart();
  lock.startFailed();
  assert.equal(backend.taken, true);
});

Deno.test("with an incoming migration it is taken with the first command", async () => {
  const backend = new ContestedBackend(0);
  const lock = new StorageLock(backend, true);
  lock.prepare();
  lock.atStart();
  assert.equal(backend.taken, false);
  await lock.ensure();
  assert.equal(backend.taken, true);
  assert.equal(lock.ensure(), undefined);
  // From then on the start locks like any other.
  backend.unlock();
  lock.atStart();
  assert.equal(backend.taken, true);
});

Deno.test("before anything was opened there is nothing to lock", () => {
  const backend = new ContestedBackend(1);
  const lock = new StorageLock(backend, false);
  assert.equal(lock.ensure(), undefined);
  assert.equal(lock.lock(5), undefined);
  assert.equal(backend.attempts, 0);
});

Deno.test("states are received under the lock", async () => {
  const backend = new ContestedBackend(0);
  await new StorageLock(backend, true).beforeReceiving();
  assert.deepEqual([backend.prepared, backend.taken], [1, true]);
});

Deno.test("LOCK_STORAGE tries so many times more", async () => {
  const backend = new ContestedBackend(3);
  const lock = new StorageLock(backend, false);
  lock.prepare();
  await assert.rejects(async () => await lock.lock(2), /taken/);
  assert.equal(backend.attempts, 3);
  await lock.lock(2);
  assert.deepEqual([backend.attempts, backend.taken], [4, true]);
});

Deno.test("after the state was handed out, the other side gets time to let go again", async () => {
  const backend = new ContestedBackend(0);
  const lock = new StorageLock(backend, false);
  lock.prepare();
  lock.atStart();
  lock.release();
  assert.equal(backend.taken, false);
  backend.failures = 5;
  await lock.ensure();
  assert.equal(backend.taken, true);
  // Only once: afterwards a conflict is one.
  backend.unlock();
  backend.failures = 1;
  await assert.rejects(async () => await lock.ensure(), /taken/);
});
