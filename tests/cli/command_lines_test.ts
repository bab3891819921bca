// Every command line of the table on the C program and on ours: the exit code and the look of the
// output are the same, but for what stands in COMPATIBILITY.md.
import assert from "node:assert/strict";
import { peer } from "../peers/peers.ts";
import { isSince } from "../peers/version.ts";
import { type CommandLine, commandLines } from "./command_lines.ts";
import { DIFFERENCES } from "./differences.ts";
import { contestants, type Shape, shapeOf } from "./shape.ts";

/** Lines that are run at the same time. */
const JOBS = 2;
const LINES_MIN = 200;

interface Result {
  line: CommandLine;
  c: Shape;
  ours: Shape;
}

async function runAll(lines: readonly CommandLine[]): Promise<Result[]> {
  const { c, ours } = await contestants();
  const queue = [...lines];
  const results: Result[] = [];
  const worker = async () => {
    for (let line = queue.shift(); line !== undefined; line = queue.shift()) {
      results.push({ line, c: await shapeOf(c, line), ours: await shapeOf(ours, line) });
    }
  };
  await Promise.all(Array.from({ length: JOBS }, worker));
  return results;
}

function isSame({ c, ours }: Result): boolean {
  return JSON.stringify(c) === JSON.stringify(ours);
}

function describe({ line, c, ours }: Result): string {
  const { words, variables = {}, redirections = "" } = line;
  const written = [...Object.entries(variables).map((pair) => pair.join("=")), "swtpm", ...words];
  return `${written.join(" ")} ${redirections}\n  C     ${JSON.stringify(c)}\n  ours  ${
    JSON.stringify(ours)
  }`;
}

Deno.test("command lines have the same outcome as with the C program", async (t) => {
  const lines = commandLines();
  assert.ok(lines.length >= LINES_MIN, `only ${lines.length} lines`);
  const results = await runAll(lines);
  const different = results.filter((result) => !isSame(result));
  const { version } = await peer("0.10");
  const declared = DIFFERENCES.filter(({ until }) => !until || !isSince(version, until));
  const reasonOf = ({ line, c, ours }: Result) =>
    declared.find(({ covers }) => covers(line, c, ours))?.reason;

  const told =
    `${lines.length} lines, ${different.length} of them differ from ${version} as declared`;
  await t.step(told, () => {
    const undeclared = different.filter((result) => reasonOf(result) === undefined);
    assert.deepEqual(undeclared.map(describe), []);
  });

  for (const { reason } of declared) {
    await t.step(`${reason} is seen`, () => {
      assert.ok(different.some((result) => reasonOf(result) === reason), "no line differs by it");
    });
  }
});
