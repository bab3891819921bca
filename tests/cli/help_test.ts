// The help pages as they are printed: each program has one, and the first page names them all.

import assert from "node:assert/strict";
import { PROGRAMS } from "../../cli/programs.ts";
import { run } from "../support/process.ts";
import { programUnderTest } from "../support/programs.ts";

const COLUMNS = 80;

Deno.test("the first page names each program in one column", async () => {
  const { code, stdout } = await run(programUnderTest(), ["--help"]);
  assert.equal(code, 0);
  const rows = [...stdout.matchAll(/^ {2}(swtpm (\S+) +)\S.*$/gm)];
  assert.deepEqual(rows.map(([, , name]) => name).toSorted(), [...PROGRAMS].toSorted());
  for (const [row, head] of rows) {
    assert.equal(head!.length, rows[0]![1]!.length, row);
    assert.ok(row.length <= COLUMNS, row);
  }
});

// As the C program's, swtpm_bios has `-h` alone.
for (const name of PROGRAMS.filter((name) => name !== "bios")) {
  Deno.test(`swtpm ${name} has a page`, async () => {
    const { code, stdout, stderr } = await run(programUnderTest(), [name, "--help"]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, new RegExp(`^Usage: swtpm[ _]${name} ?`, "m"));
  });
}
