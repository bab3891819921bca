// Tests of the picture on figures made up for the purpose.

import assert from "node:assert/strict";
import { drawTable } from "./picture.ts";
import type { Figure } from "./result.ts";

const row = { id: "a<b", title: "", rounds: 2, seconds: 1, load: [0, 0] as [number, number] };

function figure(name: string, target?: Figure["target"]): Figure {
  return {
    name,
    unit: "us",
    values: { ours: { rounds: [1, 1] }, "0.10": { rounds: [2, 2] }, floor: { rounds: [4, 4] } },
    ...target === undefined ? {} : { target },
  };
}

Deno.test("a bar for each figure with a target, beside what the target is about", () => {
  const picture = drawTable([{
    ...row,
    findings: {
      figures: [
        figure("fast", { kind: "ratio", most: 0.55, against: ["0.7.1", "0.10"] }),
        figure("small", { kind: "ratio", most: 1, against: ["floor"] }),
        figure("looked at"),
      ],
      notes: [],
    },
  }], "a machine");
  assert.match(picture, /^<svg [^>]*>/);
  assert.match(picture, /<text[^>]*>a machine<\/text>/);
  assert.match(picture, />a&lt;b: fast<\/text>/);
  assert.match(picture, />0\.50<\/text>/);
  assert.match(picture, />0\.25 of the empty<\/text>/);
  assert.doesNotMatch(picture, /looked at/);
});
