// Unit tests of what a release takes from the changelog, and of the tag that asks for it.
import { equal, throws } from "node:assert/strict";
import { checkTag, notesOf } from "./notes.ts";

const CHANGELOG =
  "# Changelog\n\n## 0.12.0, unreleased\n\n- New.\n\n## 0.11.0, 1 December 2026\n\n- Old.\n";

Deno.test("notes are the section of the version", () => {
  equal(notesOf(CHANGELOG, "0.11.0", true), "- Old.\n");
  equal(notesOf(CHANGELOG, "0.12.0", false), "- New.\n");
  throws(() => notesOf(CHANGELOG, "0.1", false), /no section "## 0\.1"/);
});

Deno.test("what is unreleased is not released", () => {
  throws(() => notesOf(CHANGELOG, "0.12.0", true), /give its heading a date/);
});

Deno.test("a tag names the version of deno.json", () => {
  checkTag("v0.11.0", "0.11.0");
  throws(() => checkTag("v0.12.0", "0.11.0"), /it wants "v0\.11\.0"/);
});
