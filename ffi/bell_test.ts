// The bell rings for input on a socket that nobody looks at, and for a signal until that was told.

import assert from "node:assert/strict";
import { Libc, openLibc } from "./libc.ts";
import { Signals } from "./signals.ts";

const symbols = {
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  /** To the calling thread. */
  raise: { parameters: ["i32"], result: "i32" },
} as const;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SIGUSR1 = 10;
const LOOK_AGAIN_MS = 2;
const PATIENCE_MS = 10_000;

/** The signal is another thread's here: the kernel brings it there in its own time. */
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    assert.ok(performance.now() < end, "it did not come");
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

Deno.test({
  name:
    "it rings for input since it was stilled, for sleeps that last, for a signal until it was told",
  // Functions of the C library stay open from their first use on.
  sanitizeResources: false,
  async fn() {
    const libc = new Libc();
    const c = openLibc(symbols);
    const signals = new Signals(libc);
    let told: string | undefined;
    const deaf = signals.hear(["SIGUSR1"], (name) => told = name);
    const bell = signals.bell;
    assert.equal(bell, signals.bell);

    const pair = new Int32Array(2);
    c.socketpair(AF_UNIX, SOCK_STREAM, 0, new Uint8Array(pair.buffer));
    const [ours, theirs] = [pair[0]!, pair[1]!];
    c.write(theirs, new Uint8Array(1), 1);
    bell.hang(ours);
    assert.equal(bell.rang, false);
    for (let byte = 0; byte < 2; byte++) {
      c.write(theirs, new Uint8Array(1), 1);
      await until(() => bell.rang);
      assert.equal(bell.signalled, false);
      bell.still();
      assert.equal(bell.rang, false);
    }

    assert.equal(bell.isOver, false);
    bell.renew();
    assert.ok(bell.limitSleep() && bell.limitSleep());
    for (let sleep = 0; sleep < 2; sleep++) {
      await until(() => bell.rang && bell.isOver);
      bell.still();
      assert.equal(bell.rang || bell.isOver, false);
    }
    bell.rest();
    bell.still(); // it may have rung just before

    c.raise(SIGUSR1);
    assert.ok(bell.signalled && bell.rang);
    bell.still();
    assert.ok(bell.rang);
    await until(() => told === "SIGUSR1");
    assert.equal(bell.rang, false);
    deaf();
    for (const fd of pair) c.close(fd);
  },
});
