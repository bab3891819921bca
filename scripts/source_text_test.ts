// Tests of the reader that tells code from comments, strings and regular expressions.

import assert from "node:assert/strict";
import { lineAt, readSource } from "./source_text.ts";

/** The code of `source` with runs of blanks drawn together. */
function codeOf(source: string): string {
  return readSource(source).code.replace(/\s+/g, " ").trim();
}

Deno.test("comments and strings are blanked, lines and lengths stay", () => {
  const source = "a; // b \"c\n/* d\n e */ f(\"g /* h\", 'i\\'j');\n";
  const read = readSource(source);
  assert.equal(read.code.length, source.length);
  assert.equal(read.code.split("\n").length, source.split("\n").length);
  assert.equal(codeOf(source), "a; f(\" \", ' ');");
  assert.deepEqual([...read.strings.values()], ["g /* h", "i\\'j"]);
});

Deno.test("code inside of templates stays code, also when templates nest", () => {
  assert.equal(
    codeOf("x(`a ${b({ c: `d ${e} f` })} g`, h)"),
    "x(` ${b({ c: ` ${e} ` })} `, h)",
  );
});

Deno.test("a slash divides behind a value and begins a regular expression elsewhere", () => {
  assert.equal(codeOf("a / b / c"), "a / b / c");
  assert.equal(codeOf("(a) / b[0]! / c++ / d"), "(a) / b[0]! / c++ / d");
  assert.equal(codeOf("return /[/'\"]\\//.test(a) / b"), "return .test(a) / b");
  assert.equal(codeOf("f(/`/g, x)"), "f( g, x)");
  assert.equal(codeOf("`${a}/b'`"), "`${a} `");
});

Deno.test("what has no end is refused with its line", () => {
  for (
    const [source, message] of [
      ['\n"a\n"', "line 2: string without an end"],
      ["a\n/* b", "line 2: comment without an end"],
      ["`a", "line 1: template without an end"],
      ["`a ${b", "line 1: template without an end"],
      ["= /a\n/", "line 1: regular expression without an end"],
      ["'a", "line 1: string without an end"],
    ] as const
  ) {
    assert.throws(() => readSource(source), { message }, source);
  }
});

Deno.test("lines are counted from one", () => {
  assert.equal(lineAt("a\nb\nc", 0), 1);
  assert.equal(lineAt("a\nb\nc", 4), 3);
});
