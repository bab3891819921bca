// What the doctor makes of the kernel's table of limits.
import assert from "node:assert/strict";
import { limitsFinding } from "./limits.ts";

function table(descriptors: string, space: string): string {
  return `Limit                     Soft Limit           Hard Limit           Units
Max stack size            8388608              unlimited            bytes
Max open files            ${descriptors.padEnd(21)}1048576              files
Max address space         ${space.padEnd(21)}unlimited            bytes
`;
}

Deno.test("limits: those of an ordinary process are good", () => {
  const { verdict, text } = limitsFinding(table("1024", "unlimited"));
  assert.deepEqual([verdict, text], ["ok", "1024 descriptors"]);
  assert.equal(limitsFinding(table("unlimited", String(2 ** 40))).verdict, "ok");
});

Deno.test("limits: what is too little for all clients, or nearly for the runtime", () => {
  assert.match(limitsFinding(table("151", "unlimited")).text, /^151 descriptors: fewer than 64/);
  assert.equal(limitsFinding(table("152", "unlimited")).verdict, "ok");
  assert.match(limitsFinding(table("1024", String(50 * 2 ** 30))).text, /^50 GiB of address/);
});
