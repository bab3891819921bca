// Functions of C as they are opened: at their first use, and anew when they are called often.
import { deepEqual, equal, strictEqual, throws } from "node:assert/strict";
import { cString, Errno, Handed, Libc, openLazily, openLibc } from "./libc.ts";

/** More calls than it takes until a function is compiled. */
const MANY = 20;

const symbols = {
  getpid: { parameters: [], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  memcpy: { parameters: ["buffer", "buffer", "u32"], result: "void" },
  strlen: { parameters: ["pointer"], result: "u32" },
  another: { name: "getpid", parameters: [], result: "i32" },
  environ: { type: "pointer" },
  no_such_function: { parameters: [], result: "i32", optional: true },
  no_such_either: { parameters: [], result: "i32" },
} as const;

function test(name: string, fn: () => void): void {
  Deno.test({
    name,
    sanitizeResources: false, // functions of a library stay open from their first use on
    fn,
  });
}

test("a function gives the same before and after it is compiled", () => {
  const c = openLibc(symbols);
  const seen = Array.from({ length: MANY }, () => [c.getpid(), c.another()]);
  deepEqual(seen, Array(MANY).fill([Deno.pid, Deno.pid]));
  for (let call = 0; call < MANY; call++) {
    const to = new Uint8Array(3);
    c.memcpy(to, Uint8Array.of(call, 2, 3), 3);
    deepEqual([...to], [call, 2, 3]);
  }
});

test("what is compiled from the start stays the same function, as V8 notes it from then on", () => {
  const functions = (always: readonly (keyof typeof symbols)[]) => {
    const c = openLibc(symbols, always);
    const called = Array.from({ length: MANY }, () => {
      const { getpid } = c;
      equal(getpid(), Deno.pid);
      return getpid;
    });
    return new Set(called).size;
  };
  equal(functions(["getpid"]), 1);
  equal(functions(["close"]), 2);
});

test("errno is that of the call just made, however it was made", () => {
  const libc = new Libc();
  const c = openLibc(symbols);
  for (let call = 0; call < MANY; call++) {
    equal(c.close(-1), -1);
    equal(libc.error("close").code, "EBADF");
  }
  throws(() => libc.check(-1, "close", "it"), { code: "EBADF", subject: "it" });
});

test("what a library lacks is null where it may, and an error elsewhere", () => {
  const c = openLibc(symbols);
  equal(c.no_such_function, null);
  throws(() => c.no_such_either(), /no_such_either/);
  equal(c.environ === null, false);
  throws(() => openLazily("/no/such/library", symbols).getpid(), /no\/such\/library/);
});

test("a C string has no NUL but its last", () => {
  deepEqual([...cString("ä")], [0xc3, 0xa4, 0]);
  throws(() => cString("a\0b"), TypeError);
  equal(new Libc().strerror(Errno.ENOENT), "No such file or directory");
});

test("bytes that are handed to C again and again may change, and others may take their place", () => {
  const c = openLibc(symbols);
  const handed = new Handed();
  const [small, large] = [cString("four"), cString("x".repeat(5000))];
  for (let call = 0; call < MANY; call++) {
    small.set(cString("y".repeat(call % 4)));
    equal(c.strlen(handed.pointer(small)), call % 4);
    equal(c.strlen(handed.pointer(large)), 5000);
    equal(c.strlen(handed.pointer(large.subarray(call))), 5000 - call);
  }
});

Deno.test("the addresses of a few buffers that are handed over by turns are asked for once", () => {
  const handed = new Handed();
  const few = Array.from({ length: 4 }, (_, n) => cString("a".repeat(n)));
  const first = few.map((bytes) => handed.pointer(bytes));
  for (let turn = 0; turn < MANY; turn++) {
    few.forEach((bytes, at) => strictEqual(handed.pointer(bytes), first[at]));
  }
});
