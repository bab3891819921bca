// The manual pages, as `deno task man` makes them, under mandoc: nothing to complain about, and what
// the help says can be read there.

import assert from "node:assert/strict";
import { emulatorPage } from "../../cli/help.ts";
import { PROGRAMS } from "../../cli/programs.ts";
import { writeManualPages } from "../../scripts/man.ts";
import { TOOL_PAGES } from "../../scripts/man/pages.ts";
import { run } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

const MANDOC = plainProgram("mandoc", "/usr/bin/mandoc");

/** As words: where lines and words are broken is mandoc's affair. */
function squeezed(text: string): string {
  return text.replace(/\s+/g, "");
}

/** Bold and underlined letters are struck twice. */
function unstruck(text: string): string {
  const parts = text.split("\b");
  return parts.map((part, at) => at < parts.length - 1 ? part.slice(0, -1) : part).join("");
}

Deno.test("manual pages: mandoc has nothing to complain about", async () => {
  await using folder = new TempDir();
  const paths = await writeManualPages(folder.path);
  const places = paths.map((path) => path.split("/")[1]!);
  for (const page of ["swtpm.8", "swtpm-run.1", "swtpm_setup.8", "swtpm-localca.8"]) {
    assert.ok(places.includes(page), page);
  }
  assert.ok(paths.length > PROGRAMS.length, `${paths.length} pages`);
  for (const path of paths) {
    const lint = await run(MANDOC, ["-T", "lint", "-W", "style", folder.join(path)]);
    // Whether other pages are installed on this machine is no fault of these.
    const complaints = (lint.stdout + lint.stderr).split("\n")
      .filter((line) =>
        line !== "" && !/referenced manual not found|outdated mandoc.db/.test(line)
      );
    assert.deepEqual(complaints, [], path);
  }
});

Deno.test("manual pages: what the help says can be read there", async () => {
  await using folder = new TempDir();
  const paths = await writeManualPages(folder.path);
  const pages = [emulatorPage(), ...Object.values(TOOL_PAGES).map((page) => page())];
  for (const page of pages) {
    const name = page.program.replace(" ", "-");
    const path = paths.find((path) => path.split("/")[1]!.replace(/\.\d$/, "") === name);
    assert.ok(path !== undefined, `${page.program} has no manual page`);
    const { stdout, code } = await run(MANDOC, [
      "-T",
      "utf8",
      "-O",
      "width=200",
      folder.join(path),
    ]);
    assert.equal(code, 0);
    const read = squeezed(unstruck(stdout));
    const rows = [
      ...page.options.flatMap(({ rows }) => rows),
      ...(page.environment ?? []),
      ...(page.files ?? []),
    ];
    for (const [term, text] of rows) {
      assert.ok(read.includes(squeezed(term)), `${path}: ${term}\n${read}`);
      assert.ok(read.includes(squeezed(text)), `${path}: ${text}\n${read}`);
    }
    for (const { lines } of page.examples ?? []) {
      for (const line of lines) assert.ok(read.includes(squeezed(line)), `${path}: ${line}`);
    }
  }
});
