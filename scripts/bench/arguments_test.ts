// The benchmark's command line: which rows, how many rounds, what is refused.

import assert from "node:assert/strict";
import { parseBenchArguments } from "./arguments.ts";
import type { BenchRow } from "./bench_row.ts";

const rows: BenchRow[] = ["random-fast", "random-slow", "boot"].map((id) => ({
  id,
  title: id,
  rounds: () => 1,
  run: () => Promise.reject(new Error("not run here")),
}));

function parse(...words: string[]) {
  const options = parseBenchArguments(words, rows);
  assert.ok(options !== "list");
  return { ...options, rows: options.rows.map((row) => row.id) };
}

Deno.test("without words all rows run", () => {
  assert.deepEqual(parse(), {
    rows: ["random-fast", "random-slow", "boot"],
    effort: { rounds: 9, quick: false },
    newLibtpms: false,
  });
});

Deno.test("rows are named by how they begin and keep their order", () => {
  assert.deepEqual(parse("boot").rows, ["boot"]);
  assert.deepEqual(parse("boot", "random").rows, ["random-fast", "random-slow", "boot"]);
  assert.throws(() => parse("boots"), /no row begins with "boots"/);
  const both = [...rows, { ...rows[0]!, id: "boot-busy" }];
  const named = (word: string) => {
    const options = parseBenchArguments([word], both);
    return options !== "list" && options.rows.map(({ id }) => id);
  };
  assert.deepEqual(named("boot"), ["boot"]);
  assert.deepEqual(named("boot-"), ["boot-busy"]);
  assert.deepEqual(named("boo"), ["boot", "boot-busy"]);
});

Deno.test("options", () => {
  assert.deepEqual(parse("--quick").effort, { rounds: 3, quick: true });
  assert.deepEqual(parse("--quick", "--rounds", "5").effort, { rounds: 5, quick: true });
  assert.equal(parse("--json", "figures.json").json, "figures.json");
  assert.equal(parse("--svg", "picture.svg").svg, "picture.svg");
  assert.equal(parse("--against", "dist/older").against, "dist/older");
  assert.equal(parse("--new-libtpms").newLibtpms, true);
  assert.equal(parseBenchArguments(["--list"], rows), "list");
});

Deno.test("what makes no sense is refused", () => {
  assert.throws(() => parse("--rounds", "0"), /from 1 to/);
  assert.throws(() => parse("--rounds", "3.5"), /from 1 to/);
  assert.throws(() => parse("--rounds", "many"), /from 1 to/);
  assert.throws(() => parse("--fast"), /--fast/);
});
