// What is told of trouble with the storage: each once, each state for itself, and its end.
import { deepEqual, throws } from "node:assert/strict";
import type { NvStore } from "../../ffi/callbacks.ts";
import { ReportingStore } from "./reporting_store.ts";

/** Fails for the states that are named, with the reason given for each. */
class FailingStore implements NvStore {
  readonly failing = new Map<string, string>();

  prepare(): void {}
  load(name: string): undefined {
    this.#try(name);
  }
  store(name: string): void {
    this.#try(name);
  }
  remove(name: string): void {
    this.#try(name);
  }
  #try(name: string): void {
    const reason = this.failing.get(name);
    if (reason !== undefined) throw new Error(reason);
  }
}

function setUp() {
  const inner = new FailingStore();
  const told: string[] = [];
  const store = new ReportingStore(
    inner,
    (message) => told.push(message),
    (error) => (error as Error).message,
  );
  const fails = (name: string) => throws(() => store.store(name, new Uint8Array()));
  return { inner, told, store, fails };
}

Deno.test("the same trouble is told once, another reason anew, and then the end of it", () => {
  const { inner, told, store, fails } = setUp();
  inner.failing.set("permall", "disk full");
  fails("permall");
  fails("permall");
  inner.failing.set("permall", "read-only");
  fails("permall");
  inner.failing.clear();
  store.store("permall", new Uint8Array());
  store.store("permall", new Uint8Array());
  deepEqual(told, [
    "Could not store the state 'permall': disk full",
    "Could not store the state 'permall': read-only",
    "Could store the state 'permall' again",
  ]);
});

Deno.test("one state that is stored does not end the trouble with another", () => {
  const { inner, told, store, fails } = setUp();
  inner.failing.set("permall", "disk full");
  fails("permall");
  store.store("volatilestate", new Uint8Array());
  store.load("volatilestate");
  fails("permall");
  throws(() => store.load("permall"));
  deepEqual(told, [
    "Could not store the state 'permall': disk full",
    "Could not load the state 'permall': disk full",
  ]);
});
