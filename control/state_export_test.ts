// What GET_STATEBLOB hands out, and what it says where the storage has something else.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { MemoryBackend } from "../state/memory.ts";
import { StateStore } from "../state/store.ts";
import { fakeChip } from "./chip_fake.ts";
import { StateExport } from "./state_export.ts";

const STATE = Uint8Array.from({ length: 100 }, (_, index) => index);

/** A disk that gets full. */
class FullBackend extends MemoryBackend {
  full = false;

  override store(...args: Parameters<MemoryBackend["store"]>): void {
    if (this.full) throw new Error("full");
    super.store(...args);
  }
}

function running() {
  const told: string[] = [];
  const backend = new FullBackend();
  const { libtpms, tpm, store } = fakeChip({ running: true, backend });
  libtpms.permanent = STATE;
  store.store("permall", STATE);
  const states = new StateExport({ tpm, store, report: (message) => told.push(message) });
  const handedOut = () => {
    const { bytes } = states.blob("permall", false)!;
    return new StateStore(new MemoryBackend()).importBlob("permall", bytes, false);
  };
  return { libtpms, store, backend, told, states, handedOut };
}

Deno.test("the state in memory is handed out, and a clock that went on needs no words", () => {
  const { handedOut, store, told } = running();
  deepEqual(handedOut(), STATE);
  store.store("permall", STATE.map((byte, at) => at >= 50 && at < 58 ? byte + 1 : byte));
  deepEqual(handedOut(), STATE);
  deepEqual(told, []);
});

Deno.test("a stored state that is another one is told of once, until it is well again", () => {
  const { handedOut, store, backend, told } = running();
  const cases: [() => void, RegExp][] = [
    [() => store.remove("permall", true), /as the state 'permall' in memory is gone/],
    [() => store.store("permall", STATE.subarray(1)), /'permall' in memory is another one/],
    [() => store.store("permall", STATE.map((byte, at) => at % 20 ? byte : 9)), /is another one/],
    [() => backend.store("permall", Uint8Array.of(1)), /cannot be read: .* is cut short/],
  ];
  for (const [change, words] of cases) {
    change();
    for (let times = 0; times < 3; times++) deepEqual(handedOut(), STATE);
    equal(told.length, 1);
    match(told.pop()!, words);
    store.store("permall", STATE);
    deepEqual(handedOut(), STATE);
    deepEqual(told, []);
  }
});

Deno.test("a state that could not be stored is handed out, too", () => {
  const { handedOut, store, backend, told, libtpms } = running();
  const next = STATE.with(3, 99);
  libtpms.permanent = next;
  backend.full = true;
  for (let times = 0; times < 2; times++) {
    try {
      store.store("permall", next);
    } catch {
      // The TPM gets an error for it.
    }
    deepEqual(handedOut(), next);
  }
  equal(told.length, 1);
  match(told[0]!, /as it could not be stored/);
  backend.full = false;
  store.store("permall", next);
  handedOut();
  equal(told.length, 1);
});

Deno.test("the volatile state is handed out without being stored, and is not there afterwards", () => {
  const { states, store, backend } = running();
  store.store("volatilestate", STATE);
  backend.full = true;
  ok(states.blob("volatilestate", false) !== undefined);
  equal(store.load("volatilestate"), undefined);
  equal(states.blob("savestate", false), undefined);
});
