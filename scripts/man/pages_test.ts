// That each page explains the options that its program takes, and no others.

import assert from "node:assert/strict";
import { emulatorPage } from "../../cli/help.ts";
import { options } from "../../cli/options.ts";
import type { Page } from "../../cli/page.ts";
import { TOOLS } from "../../cli/programs.ts";
import { toolOptions } from "../../cli/tool_options.ts";
import { manualPages, TOOL_PAGES } from "./pages.ts";

/** What an option is written like. */
interface Written {
  readonly name: string;
  readonly letter?: string | undefined;
  readonly dash?: true;
}

/** The same as another one, or without effect, so that no page names them. */
const UNTOLD: Readonly<Record<string, readonly string[]>> = {
  bios: ["-v"], // which refuses
};

function explained({ options }: Page): string[] {
  const terms = options.flatMap(({ rows }) => rows.map(([term]) => term));
  return terms.flatMap((term) =>
    [...term.matchAll(/(?<=^|[\s[|])--?[A-Za-z][\w-]*/g)].map(([name]) => name)
  ).toSorted();
}

function taken(options: readonly Written[]): string[] {
  return options.flatMap(({ name, letter, dash }) =>
    dash === true ? [`-${name}`] : [`--${name}`, ...(letter === undefined ? [] : [`-${letter}`])]
  ).toSorted();
}

Deno.test("the emulator's page has all of its options", () => {
  assert.deepEqual(explained(emulatorPage()), taken(options));
});

for (const tool of TOOLS) {
  Deno.test(`the page on ${tool} has the options that it takes`, () => {
    const untold = UNTOLD[tool] ?? [];
    const wanted = taken(toolOptions(tool)).filter((name) => !untold.includes(name));
    // A page may tell of several options together, each once.
    assert.deepEqual(explained(TOOL_PAGES[tool]()), wanted);
  });
}

Deno.test("manual pages are the same bytes each time, and lead to one another", () => {
  const day = new Date("2026-02-03T23:59:59Z");
  const pages = manualPages(day);
  assert.deepEqual(pages, manualPages(day));
  const paths = pages.map(({ path }) => path);
  assert.equal(new Set(paths).size, paths.length);
  for (const page of pages) {
    if ("sameAs" in page) {
      assert.ok(paths.includes(page.path.replace(/[^/]*$/, page.sameAs)), page.path);
      continue;
    }
    assert.match(page.text, /^\.Dd February 3, 2026\n/);
    for (const [, name, section] of page.text.matchAll(/^\.Xr (\S+) (\d)/gm)) {
      assert.ok(paths.includes(`man${section}/${name}.${section}`), `${page.path}: ${name}`);
    }
  }
});
