// That no line of a page is overlooked, and that what is printed is compared.

import assert from "node:assert/strict";
import { readPage } from "./page.ts";
import { missingIn } from "./shell.ts";

Deno.test("pages: each block has its check", () => {
  const page = [
    ...["# A", "```sh", "one", "```", "", "<!-- prints -->", "```", "1", "```"],
    ...["<!-- file: a.conf -->", "", "```ini", "x", "```", "<!-- fails: 3 -->", "```sh", "```"],
    ...["<!-- not run: there is no such machine -->", "```sh", "```", "<!-- by: room -->", "```"],
    ...["```", "<!-- there is: b -->"],
  ];
  assert.deepEqual(readPage("a.md", page.join("\n")).map(({ line, check }) => [line, check]), [
    [2, { kind: "run", code: 0 }],
    [7, { kind: "prints" }],
    [12, { kind: "file", name: "a.conf" }],
    [16, { kind: "run", code: 3 }],
    [19, { kind: "not run", reason: "there is no such machine" }],
    [22, { kind: "by", means: "room" }],
    [24, { kind: "file", name: "b" }],
  ]);
});

Deno.test("pages: a block that nobody checks is told", () => {
  for (
    const text of [
      "```yaml\nrun: x\n```",
      "```\noutput\n```",
      "<!-- later -->\n```sh\nx\n```",
      "<!-- not run: no -->\n```sh\nx\n```",
    ]
  ) {
    assert.throws(() => readPage("a.md", text), /nobody runs these lines/, text);
  }
  assert.throws(() => readPage("a.md", "- a\n  ```sh\n  x\n  ```"), /not seen/);
});

Deno.test("pages: what is printed has the lines in their order", () => {
  const printed = "a 1 b\nsecond\nthird\n";
  assert.equal(missingIn(printed, "a … b\nthird\n"), undefined);
  assert.equal(missingIn(printed, "third\nsecond\n"), "second");
  assert.equal(missingIn(printed, "a … c\n"), "a … c");
  assert.equal(missingIn(printed, "second line\n"), "second line");
});
