// Unit tests of saved sessions: their order, the gap between them, blobs that became stale.
import { deepEqual, equal } from "node:assert/strict";
import { GAP_MAX, SavedSessions } from "./saved_sessions.ts";

/** A TPM that counts saves, and refuses one that is too far from the oldest it has saved. */
class CountingChip {
  count = 3n;
  readonly saved = new Map<number, bigint>();

  save(handle: number): Uint8Array<ArrayBuffer> {
    const oldest = [...this.saved.values()].reduce((a, b) => a < b ? a : b, this.count);
    if (this.count - oldest >= BigInt(GAP_MAX - 4)) throw new Error("CONTEXT_GAP");
    this.saved.set(handle & 0xff_ffff, ++this.count);
    return blobOf(handle, this.count);
  }

  load(handle: number, blob: Uint8Array<ArrayBuffer>): void {
    const number = handle & 0xff_ffff;
    deepEqual(blob, blobOf(handle, this.saved.get(number) ?? -1n), "a stale blob");
    this.saved.delete(number);
  }
}

function blobOf(handle: number, count: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, handle & 0xff_ffff);
  view.setBigUint64(4, count);
  return bytes;
}

Deno.test("70,000 saves meet no gap, and the blobs from before them still load", () => {
  const chip = new CountingChip();
  const sessions = new SavedSessions();
  let loads = 0;
  const save = (handle: number) => {
    for (let old = sessions.overdue(); old !== undefined; old = sessions.overdue()) {
      chip.load(old.number, old.blob);
      sessions.saved(old.number, chip.count + 1n, chip.save(old.number), old.handedOut);
      loads++;
    }
    const blob = chip.save(handle);
    sessions.saved(handle, chip.count, blob);
    return blob;
  };
  const early = [0x0200_0000, 0x0300_0001, 0x0200_0002].map((handle) =>
    [handle, save(handle)] as const
  );
  const often = 0x0200_0009;
  for (let n = 0; n < 70_000; n++) {
    const blob = save(often);
    chip.load(often, sessions.current(often, blob));
    sessions.forget(often);
  }
  for (const [handle, blob] of early) chip.load(handle, sessions.current(handle, blob));
  equal(loads, 6, "each of the three, twice");
});

Deno.test("only the very bytes that were handed out are translated", () => {
  const sessions = new SavedSessions();
  const [first, second] = [Uint8Array.of(1, 2), Uint8Array.of(3, 4)];
  sessions.saved(0x0200_0001, 4n, first);
  sessions.saved(0x0200_0001, 5n, second, first);
  equal(sessions.current(0x0300_0001, Uint8Array.of(1, 2)), second);
  const longer = Uint8Array.of(1, 2, 3);
  equal(sessions.current(0x0200_0001, longer), longer);
  equal(sessions.current(0x0200_0002, first), first);
  sessions.forget(0x0200_0001);
  equal(sessions.current(0x0200_0001, first), first);
  equal(sessions.size, 0);
});

Deno.test("a TPM without sessions owes nothing", () => {
  const sessions = new SavedSessions();
  equal(sessions.overdue(), undefined);
  equal(sessions.oldest(), undefined);
  sessions.saved(0x0200_0001, 4n, Uint8Array.of(1));
  sessions.saved(0x0200_0002, 5n, Uint8Array.of(2));
  equal(sessions.oldest()?.number, 1);
  sessions.saved(0x0200_0001, 6n, Uint8Array.of(3));
  equal(sessions.oldest()?.number, 2, "saved anew is the last");
  sessions.forgetAll();
  equal(sessions.size, 0);
});
