// That the differences from the C program are the same in COMPATIBILITY.md and in the tests.

import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);
const KEY = /\[(cuse-[a-z]+)\]/g;

function keysIn(text: string): Set<string> {
  return new Set([...text.matchAll(KEY)].map(([, key = ""]) => key));
}

Deno.test("each difference of the devices stands in COMPATIBILITY.md and is tested", () => {
  const tested = [...Deno.readDirSync(new URL("tests/devices/", root))]
    .filter(({ name }) => name.endsWith(".ts"))
    .map(({ name }) => Deno.readTextFileSync(new URL(`tests/devices/${name}`, root)));
  const told = keysIn(Deno.readTextFileSync(new URL("COMPATIBILITY.md", root)));
  assert.ok(told.size > 0);
  assert.deepEqual([...keysIn(tested.join("\n"))].sort(), [...told].sort());
});
