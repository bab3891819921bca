// Children that end, what they are given as environment, and those that cannot be started.

import assert from "node:assert/strict";
import { Children, type Variables } from "./children.ts";
import type { Ending } from "./ending.ts";
import { Errno, Libc, SystemError } from "./libc.ts";
import { Process } from "./process.ts";
import { Signals } from "./signals.ts";

/** Names that no environment has. */
const OURS = "SWTPM_CHILDREN_TEST_OURS";
const LATE = "SWTPM_CHILDREN_TEST_LATE";

const LOOK_AGAIN_MS = 2;
const PATIENCE_MS = 10_000;

function test(name: string, fn: () => void | Promise<void>): void {
  // Functions of the C library stay open from their first use on.
  Deno.test({ name, sanitizeResources: false, fn });
}

function childrenOf(libc: Libc): Children {
  return new Children(libc, new Signals(libc));
}

/** Runs a shell script to its end. */
async function ending(
  children: Children,
  script: string,
  variables: Variables = {},
): Promise<Ending> {
  const pid = children.start(["sh", "-c", script], variables);
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    const ended = children.reap().find((child) => child.pid === pid);
    if (ended !== undefined) return ended.ending;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  throw new Error(`'${script}' has not ended`);
}

test("a child ends with its exit code, or by a signal", async () => {
  const children = childrenOf(new Libc());
  assert.deepEqual(await ending(children, "exit 77"), { code: 77 });
  assert.deepEqual(await ending(children, "kill -KILL $$"), { signal: 9 });
});

test("a child has our environment as it was, with the variables that it is given", async () => {
  const libc = new Libc();
  const process = new Process(libc);
  process.setVariable(OURS, "before");
  const children = childrenOf(libc);
  process.setVariable(OURS, "after");
  process.setVariable(LATE, "1");
  try {
    const kept = `[ "$${OURS}" = before ] && [ -z "\${${LATE}+set}" ] && [ -n "$PATH" ]`;
    assert.deepEqual(await ending(children, kept), { code: 0 });
    const replaced = `[ "$${OURS}" = "a=b c" ] && [ "$(env | grep -c ^${OURS}=)" = 1 ]`;
    assert.deepEqual(await ending(children, replaced, { [OURS]: "a=b c" }), { code: 0 });
    const removed = `[ -z "\${${OURS}+set}" ]`;
    assert.deepEqual(await ending(children, removed, { [OURS]: undefined }), { code: 0 });
  } finally {
    process.setVariable(OURS, undefined);
    process.setVariable(LATE, undefined);
  }
});

test("a program that is not there is told by its error", () => {
  const children = childrenOf(new Libc());
  assert.throws(
    () => children.start(["no-such-program"], {}),
    (error) => error instanceof SystemError && error.errno === Errno.ENOENT,
  );
});
