// Tests of the checker of the house: what it lets pass, and each of its refusals.

import { checkFile, FILE_LINES_MAX, formatViolation, PRINTER } from "./check_layers.ts";
import assert from "node:assert/strict";

const OPENING = "// One job.\n";

/** The broken rules of a file that opens properly, as `line rule`. */
function broken(path: string, text: string): string[] {
  return checkFile(path, OPENING + text).map((violation) => `${violation.line} ${violation.rule}`);
}

/** Asserts that exactly one rule is broken, on line 2, and that its words match. */
function refuses(path: string, text: string, rule: RegExp): void {
  const found = broken(path, text);
  assert.equal(found.length, 1, `${path}: ${text} gave ${JSON.stringify(found)}`);
  assert.match(found[0] ?? "", /^2 /);
  assert.match(found[0] ?? "", rule);
}

Deno.test("imports that point down, or stay in the room, pass", () => {
  for (
    const [path, text] of [
      ["main.ts", 'import { setup } from "./tools/setup/setup.ts";'],
      ["main_test.ts", 'import { main } from "./main.ts";'],
      ["tools/setup/setup.ts", 'import { parse } from "../../cli/options.ts";'],
      ["tools/setup/setup.ts", 'import { a } from "./a.ts";'],
      ["tools/setup/setup.ts", 'import { a } from "../own_tpm/a.ts";'],
      ["tools/own_tpm/a.ts", 'import { b } from "./b.ts";'],
      ["daemon/emulator.ts", 'import { open } from "./start/opening.ts";'],
      ["daemon/loop/loop.ts", 'import type { Channel } from "../../transports/channel.ts";'],
      ["tpm/tpm.ts", 'export { a } from "../wire/tpm.ts";'],
      ["state/store.ts", 'import { b } from "./backend.ts";'],
      ["cli/help.ts", 'import deno from "../deno.json" with { type: "json" };'],
      ["wire/codec.ts", 'import { Buffer } from "node:buffer";'],
      ["wire/codec_test.ts", 'import assert from "node:assert/strict";'],
      ["tests/a/b_test.ts", 'import { c } from "../../wire/codec.ts";'],
      ["scripts/bench/rows.ts", 'import { c } from "../../tests/support/wait.ts";'],
      ["scripts/build.ts", 'import { c } from "../wire/codec.ts";'],
      ["tpm/a.ts", 'const from = Array.from("../main.ts"); // import "../main.ts"'],
    ] as const
  ) {
    assert.deepEqual(broken(path, text), [], path);
  }
});

Deno.test("imports that point up are refused, whatever their form", () => {
  for (
    const text of [
      'import { a } from "../daemon/loop/loop.ts";',
      'import type { A } from "../daemon/loop/loop.ts";',
      'import "../daemon/loop/loop.ts";',
      'export { a } from "../daemon/loop/loop.ts";',
      'const a = await import("../daemon/loop/loop.ts");',
      'type A = import("../daemon/loop/loop.ts").A;',
    ]
  ) {
    refuses("tpm/tpm.ts", text, /imports point down: tpm may not import daemon/);
  }
  refuses("cli/a.ts", 'import { a } from "../tools/run/run.ts";', /cli may not import tools/);
  refuses("tools/a.ts", 'import { a } from "../main.ts";', /tools may not import main.ts/);
  refuses(
    "tools/own_tpm/a.ts",
    'import { a } from "../run/run.ts";',
    /tools\/own_tpm may not import tools\/run/,
  );
  refuses("daemon/loop/a.ts", 'import { a } from "../start/b.ts";', /may not import daemon\/start/);
  refuses("daemon/config.ts", 'import { a } from "./system.ts";', /may not import daemon\/system/);
  refuses("wire/a.ts", 'import { a } from "../ffi/libc.ts";', /wire may not import ffi/);
});

Deno.test("neighbours do not know each other", () => {
  refuses("state/a.ts", 'import { a } from "../transports/b.ts";', /neighbours/);
  refuses("transports/a.ts", 'import { a } from "../sandbox/b.ts";', /neighbours/);
  refuses("sandbox/a_test.ts", 'import { a } from "../state/b.ts";', /neighbours/);
  refuses("tools/run/a.ts", 'import { a } from "../start/b.ts";', /tools\/start are neighbours/);
  refuses("tools/run/a.ts", 'import { a } from "../version.ts";', /neighbours/);
});

Deno.test("nothing imports tests and scripts", () => {
  refuses("tpm/a.ts", 'import { a } from "../tests/support/b.ts";', /nothing imports tests\//);
  refuses("tpm/a_test.ts", 'import { a } from "../tests/support/b.ts";', /nothing imports tests\//);
  refuses("main.ts", 'import { a } from "./scripts/build.ts";', /nothing imports scripts\//);
  refuses("tests/a_test.ts", 'import { a } from "./b_test.ts";', /tests are not imported/);
  refuses("scripts/build.ts", 'import { a } from "../tests/support/b.ts";', /does not hang on/);
});

Deno.test("fakes are for tests", () => {
  const text = 'import { a } from "../ffi/libtpms_fake.ts";';
  refuses("tpm/a.ts", text, /fakes are for tests/);
  refuses("main.ts", text.replace("..", "."), /fakes are for tests/);
  for (const path of ["tpm/a_test.ts", "tpm/a_fake.ts", "tests/a.ts", "scripts/a.ts"]) {
    assert.deepEqual(broken(path, text), []);
  }
});

Deno.test("code from elsewhere is refused", () => {
  refuses("tpm/a.ts", 'import { a } from "jsr:@std/cli";', /neither a file/);
  refuses("tests/a.ts", 'import a from "npm:left-pad";', /neither a file/);
  refuses("tpm/a.ts", 'import a from "https://example.org/a.ts";', /neither a file/);
  refuses("tpm/a.ts", 'import a from "../../a.ts";', /out of the checkout/);
  refuses("tpm/a.ts", 'import a from "../attic/a.ts";', /none of the rooms/);
  refuses("tpm/a.ts", 'import assert from "node:assert";', /is for tests/);
  refuses("tpm/a.ts", "await import(name);", /plain string/);
});

Deno.test("only ffi/ reaches C", () => {
  assert.deepEqual(broken("ffi/libc.ts", 'Deno.dlopen("libc.so.6", {});'), []);
  assert.deepEqual(broken("tpm/a.ts", 'const text = "Deno.dlopen"; // Deno.UnsafePointer'), []);
  refuses("tpm/a.ts", 'Deno.dlopen("libc.so.6", {});', /only ffi\/ may reach C/);
  refuses("tpm/a.ts", "let p: Deno.UnsafePointer;", /only ffi\/ may reach C/);
  refuses("tests/a.ts", "new Deno.UnsafePointerView(a);", /only ffi\/ may reach C/);
  refuses("tpm/a.ts", "const { dlopen } = Deno;", /only ffi\/ may reach C/);
  refuses("tpm/a.ts", 'Deno["dlopen"];', /plain names/);
});

Deno.test("one file of the program prints", () => {
  for (const path of [PRINTER, "tests/a.ts", "scripts/a.ts"]) {
    assert.deepEqual(broken(path, "console.log(1); Deno.stdout.writeSync(a);"), []);
  }
  refuses("tpm/a.ts", "console.log(1);", /only daemon\/output/);
  refuses("cli/a.ts", "Deno.stderr.writeSync(a);", /only daemon\/output/);
  refuses("ffi/a.ts", "`${console.error(1)}`;", /only daemon\/output/);
  refuses("daemon/output/log.ts", "Deno.stdout.writeSync(a);", /only daemon\/output/);
  refuses("main.ts", "Deno.stdout.writeSync(a);", /only daemon\/output/);
});

Deno.test("files are tidy", () => {
  const rules = (path: string, text: string) => checkFile(path, text).map(formatViolation);
  assert.match(rules("tpm/a.ts", "const a = 1;\n")[0] ?? "", /^tpm\/a\.ts:1 a file opens with/);
  assert.match(rules("tpm/a.ts", "// deno-lint-ignore-file\n")[0] ?? "", /a file opens with/);
  assert.match(rules("tpm/a.ts", "\n// Late.\n")[0] ?? "", /a file opens with/);
  assert.deepEqual(rules("tpm/a.ts", "/* One job. */\n"), []);

  const longest = OPENING + "a;\n".repeat(FILE_LINES_MAX - 1);
  assert.deepEqual(rules("tpm/a.ts", longest), []);
  assert.match(rules("tpm/a.ts", longest + "a;\n")[0] ?? "", /^tpm\/a\.ts:401 .* has 401$/);

  refusesAt1("tpm/utils.ts", /named after what it does/);
  refusesAt1("attic/a.ts", /in none of the rooms/);
  refusesAt1("build.ts", /in none of the rooms/);
  refuses("tpm/a.ts", 'export * from "../wire/codec.ts";', /no barrel files/);
  assert.match(broken("tpm/a.ts", 'const a = "b').join(), /^1 cannot be read: line 2: string/);
});

function refusesAt1(path: string, rule: RegExp): void {
  const found = broken(path, "");
  assert.equal(found.length, 1, JSON.stringify(found));
  assert.match(found[0] ?? "", rule);
}
