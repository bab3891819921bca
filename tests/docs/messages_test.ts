// That each message that docs/messages.md explains still stands in the program.

import assert from "node:assert/strict";
import { filesBelow, ROOT } from "../../scripts/checkout.ts";
import { checkoutPath } from "../support/programs.ts";

/** Shorter pieces stand everywhere. */
const PIECE_MIN = 4;

/** The first column of the tables of messages. */
function explained(page: string): string[] {
  const [, messages = ""] = page.split("\n## Messages\n");
  return [...messages.matchAll(/^\| `(.+?)` +\|/gm)].map(([, message]) => message!);
}

/**
 * What stands in a file's texts, in TypeScript or C: those that are put together are one, what is filled
 * in is `…`.
 */
function texts(source: string): string {
  return source.replaceAll(/["'`]\s*\+\s*["'`]/g, "")
    .replaceAll(/"\s*\n\s*"/g, "").replaceAll(
      /\$\{[^{}]*(\{[^{}]*\}[^{}]*)*\}/g,
      "…",
    );
}

function pieces(message: string): string[] {
  return message.split("…").map((piece) => piece.trim()).filter((piece) =>
    piece.length >= PIECE_MIN
  );
}

Deno.test("docs/messages.md: each message stands in the program", () => {
  const sources = filesBelow(ROOT)
    .filter((path) => /\.ts$|^scripts\/executable\/entry\/.*\.c$/.test(path))
    .filter((path) => !/^(tests|scripts\/(?!executable\/entry\/))|_test\.ts$|_fake\.ts$/.test(path))
    .map((path) => texts(Deno.readTextFileSync(`${ROOT}/${path}`)));
  const messages = explained(Deno.readTextFileSync(checkoutPath("docs", "messages.md")));
  assert.ok(messages.length > 20, `${messages.length} messages`);
  const gone = messages.filter((message) => {
    const parts = pieces(message);
    return parts.length === 0 ||
      !sources.some((source) => parts.every((part) => source.includes(part)));
  });
  assert.deepEqual(gone, [], "no file has them");
});

Deno.test("docs/messages.md: a message that nobody says is told", () => {
  assert.equal(texts("\"the device \" +\n  `'${this.#path}' is`"), "\"the device '…' is`");
  assert.deepEqual(pieces("the device '…' is too small"), ["the device '", "' is too small"]);
  assert.deepEqual(explained("# A\n| `no` |\n## Messages\n\n| `yes …`  | x |\n"), ["yes …"]);
});
