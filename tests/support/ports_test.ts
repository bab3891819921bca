// That a test finds ports whatever connections the machine has made.

import assert from "node:assert/strict";
import { freePortPair } from "./ports.ts";

Deno.test("a pair of ports is none that the kernel gives to connections", () => {
  const range = Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range");
  const lowest = parseInt(range);
  for (let n = 0; n < 20; n++) assert.ok(freePortPair() + 1 < lowest, `from ${lowest} on`);
});
