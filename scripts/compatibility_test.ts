// That COMPATIBILITY.md and the tests name the same differences: each key stands in a test, each
// key in a test stands there, and none stands there twice.

import assert from "node:assert/strict";
import { ROOT, typeScriptBelow } from "./checkout.ts";

/** What begins a difference in COMPATIBILITY.md. */
const TOLD = /^- \*\*\[([^\]]+)\]\*\*/gm;
const WORD = "[a-z]{2}[a-z0-9]*";
/**
 * Keys in a test: of several words anywhere, as no character class looks like that; of one word
 * behind a blank at the end of a text, such as a test's name.
 */
const NAMED = new RegExp(
  `\\[(${WORD}(?:-[a-z0-9.]{2,})+)\\]|(?<=\\s)\\[(${WORD})\\](?=["'\`])`,
  "g",
);

function named(test: string): string[] {
  return [...test.matchAll(NAMED)].map(([, words, word]) => words ?? word ?? "");
}

/** What is wrong between a text like COMPATIBILITY.md and tests by their paths. */
function complaints(text: string, tests: ReadonlyMap<string, string>): string[] {
  const told = [...text.matchAll(TOLD)].map(([, key = ""]) => key);
  const inTests = [...tests].map(([path, test]) => [path, named(test)] as const);
  return [
    ...told.filter((key, at) => told.indexOf(key) !== at).map((key) =>
      `${key}: stands there twice`
    ),
    ...told.filter((key) => !inTests.some(([, keys]) => keys.includes(key)))
      .map((key) => `${key}: no test names it`),
    ...inTests.flatMap(([path, keys]) =>
      keys.filter((key) => !told.includes(key)).map((key) => `${key}: ${path} alone names it`)
    ),
  ];
}

Deno.test("each difference in COMPATIBILITY.md has a key, which its test names", () => {
  const read = (path: string) => Deno.readTextFileSync(`${ROOT}/${path}`);
  const isTest = (path: string) => path.startsWith("tests/") || path.endsWith("_test.ts");
  const paths = typeScriptBelow(ROOT).filter((path) =>
    isTest(path) && !import.meta.url.endsWith(`/${path}`)
  );
  const text = read("COMPATIBILITY.md");
  assert.ok(text.match(TOLD) !== null, "there are no differences");
  assert.deepEqual(complaints(text, new Map(paths.map((path) => [path, read(path)]))), []);
});

Deno.test("keys without a test, unknown ones and double ones are told", () => {
  const text =
    "- **[one-key]** This.\n- **[single]** That.\n- **[one-key]** Again.\n- **[no-test]**";
  const tests = new Map([
    ["a_test.ts", 'Deno.test("works [single]", () => /[a-z][a-z0-9-]/.test(list[index]));'],
    ["table.ts", '{ reason: "[one-key]" } // [un-told] {{ `all ${n} [alone]`, rows["[x]"] }}'],
  ]);
  assert.deepEqual(complaints(text, tests), [
    "one-key: stands there twice",
    "no-test: no test names it",
    "un-told: table.ts alone names it",
    "alone: table.ts alone names it",
  ]);
});
