// Which published holes a version of libtpms has.
import assert from "node:assert/strict";
import { holesOf } from "./holes.ts";

function names(minor: number, micro: number): string[] {
  return holesOf({ version: minor << 8 | micro }).flatMap((hole) => hole.match(/CVE-[\d-]+/g)!);
}

Deno.test("a libtpms is as good as its branch was when it was made", () => {
  const of2023 = ["CVE-2023-1017", "CVE-2023-1018"];
  assert.deepEqual(names(9, 2), ["CVE-2025-49133", ...of2023]);
  assert.deepEqual(names(9, 6), ["CVE-2025-49133"]);
  assert.deepEqual(names(9, 7), []);
  assert.deepEqual(names(6, 6), ["CVE-2025-49133", ...of2023]);
  assert.deepEqual(names(10, 0), ["CVE-2026-21444", "CVE-2025-49133"]);
  assert.deepEqual(names(10, 1), ["CVE-2026-21444"]);
  assert.deepEqual(names(10, 2), []);
  assert.deepEqual(names(11, 0), []);
  assert.deepEqual(holesOf({ version: 1 << 16 }), []);
});
