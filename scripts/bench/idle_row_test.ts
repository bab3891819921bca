// Which lines of strace's output are system calls that returned.

import assert from "node:assert/strict";
import { countReturns } from "./idle_row.ts";

Deno.test("calls that returned are counted, calls under way are not", () => {
  const trace = [
    "101 poll([{fd=3, events=POLLIN}], 1, -1 <unfinished ...>",
    "102 futex(0x7f, FUTEX_WAIT_PRIVATE, 0, NULL <unfinished ...>",
    "101 <... poll resumed>)             = 1 ([{fd=3, revents=POLLIN}])",
    '101 read(3, "\\200\\1", 4096)        = 12',
    "101 poll([{fd=3, events=POLLIN}], 1, 20) = 0 (Timeout)",
    "102 <... futex resumed>) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)",
    "101 poll([{fd=3, events=POLLIN}], 1, -1",
  ].join("\n");
  assert.equal(countReturns(trace), 3);
  assert.equal(countReturns(""), 0);
});
