// Marks, ratios and the table on figures made up for the purpose.

import assert from "node:assert/strict";
import { asJson, renderTable, type RowReport } from "./report.ts";
import { type Figure, markOf, ratioOf } from "./result.ts";

const latency: Figure = {
  name: "latency",
  unit: "us",
  values: {
    "ours": { rounds: [20, 24, 22], p99: [30, 30, 90] },
    "0.7.1": { rounds: [40, 40, 44] },
    "0.10": { rounds: [44, 48, 40] },
  },
  target: { kind: "ratio", most: 0.55, against: ["0.7.1", "0.10"] },
};

Deno.test("a ratio target holds against each peer that it names", () => {
  assert.equal(markOf(latency), "reached");
  const stricter = { kind: "ratio", most: 0.52, against: ["0.7.1", "0.10"] } as const;
  assert.equal(markOf({ ...latency, target: stricter }), "missed");
  assert.equal(markOf({ ...latency, target: { ...stricter, against: ["0.10"] } }), "reached");
});

Deno.test("a target is reached at its very value", () => {
  const figure: Figure = { name: "n", unit: "MB", values: { ours: { rounds: [15] } } };
  assert.equal(markOf({ ...figure, target: { kind: "value", most: 15 } }), "reached");
  assert.equal(markOf({ ...figure, target: { kind: "value", most: 14.9 } }), "missed");
  assert.equal(markOf(figure), undefined);
});

Deno.test("what was not measured is missed, not reached", () => {
  const { "0.10": _, ...rest } = latency.values;
  assert.equal(markOf({ ...latency, values: rest }), "missed");
  assert.equal(markOf({ ...latency, values: {}, target: { kind: "value", most: 1 } }), "missed");
});

Deno.test("rounds that do not agree on who is less are noise", () => {
  const values = { "ours": { rounds: [20, 24] }, "before": { rounds: [21, 23] } };
  const figure: Figure = { name: "latency", unit: "us", values };
  assert.equal(ratioOf(figure, "ours", "before")?.noise, true);
  assert.equal(ratioOf(latency, "ours", "0.10")?.noise, false);
  const row = { id: "a", title: "", rounds: 2, seconds: 1, load: [0, 0] as [number, number] };
  const table = renderTable([{ ...row, findings: { figures: [figure], notes: [] } }], [
    "ours",
    "before",
  ]);
  assert.match(table, / ~1\.00 \(0\.95-1\.04\)/);
});

Deno.test("a peer that took nothing has no ratio", () => {
  const idle: Figure = {
    name: "wake-ups",
    unit: "per s",
    values: { "ours": { rounds: [0] }, "0.7.1": { rounds: [0] } },
  };
  assert.equal(ratioOf(idle, "ours", "0.7.1"), undefined);
});

const rows: RowReport[] = [
  {
    id: "first",
    title: "the first row",
    rounds: 3,
    seconds: 1,
    load: [0.1, 0.2],
    findings: { figures: [latency], notes: ["a note"] },
  },
  {
    id: "second",
    title: "the second row",
    rounds: 3,
    seconds: 1,
    load: [0.1, 0.2],
    failure: "it would not start",
  },
];

Deno.test("the table shows medians, percentiles, ratios, targets, marks and failures", () => {
  const lines = renderTable(rows, ["ours", "0.7.1", "0.10"]).split("\n");
  assert.match(lines[0]!, /^row +figure +ours +p99 +0\.7\.1 +p99 +0\.10 +p99 +ours\/0\.7\.1/);
  assert.match(
    lines[1]!,
    /^first +latency, us +22\.0 +30\.0 +40\.0 +44\.0 +0\.55 \(0\.50-0\.60\) +0\.50 \(0\.45-0\.55\) +<= 0\.55 +reached$/,
  );
  assert.equal(lines[2], "    a note");
  assert.match(lines[3]!, /^second +not measured +failed$/);
  assert.equal(lines[4], "    it would not start");
  assert.equal(lines.length, 5);
});

Deno.test("the JSON carries every round", () => {
  const [first, second] = JSON.parse(JSON.stringify(asJson(rows, ["ours", "0.7.1", "0.10"])));
  assert.equal(first.figures[0].mark, "reached");
  assert.deepEqual(first.figures[0].contestants["0.10"], {
    median: 44,
    p99: null,
    rounds: [44, 48, 40],
  });
  assert.deepEqual(first.figures[0].ratios[1], {
    ours: "ours",
    peer: "0.10",
    ratio: 0.5,
    spread: [20 / 44, 22 / 40],
    noise: false,
  });
  assert.equal(second.failure, "it would not start");
});
