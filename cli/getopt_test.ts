// Unit tests of the option grammar; the messages are glibc's.
import { deepEqual, equal, throws } from "node:assert/strict";
import { getopt, type GetoptOptions, type OptionShape } from "./getopt.ts";

const shapes: OptionShape[] = [
  { name: "port", letter: "p", argument: true },
  { name: "daemon", letter: "d", argument: false },
  { name: "terminate", letter: "t", argument: false },
  { name: "migration", argument: true },
  { name: "migration-key", argument: true },
  { name: "tpm2", argument: false },
  { name: "tpmstate", argument: true },
];

/** Options as `name=argument`, operands as they are, errors thrown. */
function parse(words: string[], options: Partial<GetoptOptions> = {}): string[] {
  return [...getopt(words, shapes, { program: "socket", ...options })].map((given) => {
    if (given.kind === "error") throw given.error;
    return given.kind === "operand" ? given.word : `${given.name}=${given.argument}`;
  });
}
const given = (...words: string[]) => parse(words);

Deno.test("long options: separate and joined arguments, abbreviations", () => {
  deepEqual(given("--port", "1", "--port=2", "--po", "3", "--por=4"), [
    "port=1",
    "port=2",
    "port=3",
    "port=4",
  ]);
});

Deno.test("an exact name wins over longer ones", () => {
  deepEqual(given("--migration", "x", "--migration-", "y"), ["migration=x", "migration-key=y"]);
});

Deno.test("letters: bundled, with an argument attached or separate", () => {
  deepEqual(given("-dtp7", "-p", "8"), ["daemon=", "terminate=", "port=7", "port=8"]);
});

Deno.test("operands may stand anywhere, and everything behind -- is one", () => {
  deepEqual(given("a", "-d", "b", "--", "--tpm2", "-"), ["a", "daemon=", "b", "--tpm2", "-"]);
  deepEqual(given("-"), ["-"]);
});

Deno.test("with POSIXLY_CORRECT the first operand ends the options", () => {
  deepEqual(parse(["-d", "a", "--bogus"], { operandEnds: true }), ["daemon=", "a", "--bogus"]);
});

Deno.test("an argument may look like an option, or be empty", () => {
  deepEqual(given("--port", "--tpm2", "--port="), ["port=--tpm2", "port="]);
});

const refusals: [string[], string][] = [
  [["--xyz"], "socket: unrecognized option '--xyz'"],
  [["--xyz=1"], "socket: unrecognized option '--xyz=1'"],
  [["--tpm2=1"], "socket: option '--tpm2' doesn't allow an argument"],
  [["--port"], "socket: option '--port' requires an argument"],
  [["-x"], "socket: invalid option -- 'x'"],
  [["-p"], "socket: option requires an argument -- 'p'"],
  [
    ["--tpm=1"],
    "socket: option '--tpm=1' is ambiguous; possibilities: '--tpm2' '--tpmstate'",
  ],
  [["--tpmstat2"], "socket: unrecognized option '--tpmstat2' (did you mean '--tpmstate'?)"],
];
for (const [words, message] of refusals) {
  Deno.test(`refuses ${words.join(" ")}`, () => {
    throws(() => given(...words), { name: "UsageError", message });
  });
}

Deno.test("what stands before an error is understood first, what stands behind it, too", () => {
  const kinds = [...getopt(["-d", "--bogus", "-t"], shapes, { program: "cuse" })];
  deepEqual(kinds.map(({ kind }) => kind), ["option", "error", "option"]);
  const error = kinds[1]!;
  equal(error.kind === "error" && error.error.details.bare, true);
});
