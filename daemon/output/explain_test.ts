// What the person reads: the reason, not that cleaning up failed as well.
import assert from "node:assert/strict";
import { explain } from "./explain.ts";
import { openSystem } from "../system.ts";

const system = openSystem();

Deno.test("explain: what came first is told first, then what cleaning up met", () => {
  const told = () => {
    using closers = new DisposableStack();
    closers.defer(() => {
      throw new Error("no file 'b'");
    });
    throw new Error("no file 'a'");
  };
  try {
    told();
    assert.fail("it has to throw");
  } catch (error) {
    assert.equal(explain(system, error), "no file 'a'; then no file 'b'");
  }
});
