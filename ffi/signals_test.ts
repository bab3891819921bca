// A signal that a process sent is told from one of a key, also when both have come.

import assert from "node:assert/strict";
import { Libc, openLibc } from "./libc.ts";
import { Signals } from "./signals.ts";

const symbols = {
  gettid: { parameters: [], result: "i32" },
  /** To the calling thread. */
  raise: { parameters: ["i32"], result: "i32" },
  /** long syscall(SYS_rt_tgsigqueueinfo, pid_t process, pid_t thread, int, siginfo_t *) */
  syscall: { parameters: ["i64", "i32", "i32", "i32", "buffer"], result: "i64" },
} as const;
const RT_TGSIGQUEUEINFO = { x86_64: 297n, aarch64: 240n }[Deno.build.arch];
const SIGINFO_SIZE = 128;
const SI_KERNEL = 0x80;
const SIGQUIT = 3;
const LOOK_AGAIN_MS = 2;
const PATIENCE_MS = 10_000;

Deno.test({
  name: "a process' signal is not forgotten for that of a key which comes before it is heard",
  // Functions of the C library stay open from their first use on.
  sanitizeResources: false,
  async fn() {
    const c = openLibc(symbols);
    const signals = new Signals(new Libc());
    const heard: boolean[] = [];
    const deaf = signals.hear(["SIGQUIT"], (name) => heard.push(signals.fromProcess(name)));
    signals.noteSenders(["SIGQUIT"]);
    const process = () => assert.equal(c.raise(SIGQUIT), 0);
    const key = () => {
      const info = new Int32Array(SIGINFO_SIZE / 4);
      info[0] = SIGQUIT;
      info[2] = SI_KERNEL;
      const bytes = new Uint8Array(info.buffer);
      const result = c.syscall(RT_TGSIGQUEUEINFO, Deno.pid, c.gettid(), SIGQUIT, bytes);
      assert.equal(result, 0n);
    };
    /** All come before the event loop has a turn, which may tell of each or of all at once. */
    const come = async (...signals: (() => void)[]) => {
      heard.length = 0;
      for (const send of signals) send();
      for (const end = performance.now() + PATIENCE_MS; heard.length === 0;) {
        assert.ok(performance.now() < end, "it did not come");
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      }
      return heard.includes(true);
    };
    try {
      assert.equal(await come(process), true);
      assert.equal(await come(key), false);
      assert.equal(await come(key, process), true);
      assert.equal(await come(process, key), true);
      assert.equal(signals.fromProcess("SIGQUIT"), false, "it is told once");
      assert.equal(await come(key), false);
    } finally {
      deaf();
    }
  },
});
