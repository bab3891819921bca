// Each line of shell in the README and in docs/ works as it stands there, or the page says, in its
// source, by what else it is checked or why nobody runs it.

import assert from "node:assert/strict";
import { checkoutPath } from "../support/programs.ts";
import { MEANS } from "./means.ts";
import { type Fence, readPage } from "./page.ts";
import { runPage } from "./shell.ts";

const PAGES = [
  "README.md",
  ...[...Deno.readDirSync(checkoutPath("docs"))].map(({ name }) => `docs/${name}`)
    .filter((path) => path.endsWith(".md")).toSorted(),
];

function byMeans(fences: readonly Fence[]): ReadonlyMap<string, readonly Fence[]> {
  return Map.groupBy(
    fences.filter(({ check }) => check.kind === "by"),
    ({ check }) => check.kind === "by" ? check.means : "",
  );
}

for (const path of PAGES) {
  const text = Deno.readTextFileSync(checkoutPath(path));
  Deno.test(`${path}: its lines work`, async () => {
    const fences = readPage(path, text);
    for (const means of byMeans(fences).keys()) {
      assert.ok(means in MEANS, `${path}: nobody checks by ${means}`);
    }
    await runPage(path, fences);
  });
  for (const [means, check] of Object.entries(MEANS)) {
    if (!text.includes(`<!-- by: ${means} -->`)) continue;
    Deno.test(`${path}: lines that are checked by ${means}`, async () => {
      await check(byMeans(readPage(path, text)).get(means) ?? []);
    });
  }
  Deno.test(`${path}: what it leads to is there`, () => {
    const folder = path.replace(/[^/]*$/, "");
    for (const [, target = ""] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (target.includes("://")) continue;
      assert.ok(Deno.statSync(checkoutPath(folder, target)), target);
    }
  });
}
