// Unit tests of the option grammar; the messages are glibc's.
import { deepEqual, throws } from "node:assert/strict";
import { getopt, type OptionShape } from "./getopt.ts";

const shapes: OptionShape[] = [
  { name: "port", letter: "p", argument: true },
  { name: "daemon", letter: "d", argument: false },
  { name: "terminate", letter: "t", argument: false },
  { name: "migration", argument: true },
  { name: "migration-key", argument: true },
  { name: "tpm2", argument: false },
  { name: "tpmstate", argument: true },
];
const parse = (...words: string[]) => getopt(words, shapes, { program: "socket" });
const given = (...words: string[]) =>
  parse(...words).options.map(({ name, argument }) => `${name}=${argument}`);

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

Deno.test("letters: separate, joined and bundled", () => {
  deepEqual(given("-p", "1", "-p2", "-dt", "-dp3"), [
    "port=1",
    "port=2",
    "daemon=",
    "terminate=",
    "daemon=",
    "port=3",
  ]);
});

Deno.test("operands may stand anywhere; -- ends the options", () => {
  deepEqual(parse("a", "-d", "b", "--", "-t"), {
    options: [{ name: "daemon", argument: "" }],
    operands: ["a", "b", "-t"],
  });
});

Deno.test("refusals have glibc's words", () => {
  const refusals: [string[], string][] = [
    [["--bogus"], "socket: unrecognized option '--bogus'"],
    [["--bogus=1"], "socket: unrecognized option '--bogus'"],
    [["--tpm"], "socket: option '--tpm' is ambiguous; possibilities: '--tpm2' '--tpmstate'"],
    [["--port"], "socket: option '--port' requires an argument"],
    [["--daemon=1"], "socket: option '--daemon' doesn't allow an argument"],
    [["-x"], "socket: invalid option -- 'x'"],
    [["-p"], "socket: option requires an argument -- 'p'"],
  ];
  for (const [words, message] of refusals) throws(() => parse(...words), { message });
});

Deno.test("with onError parsing goes on", () => {
  const errors: string[] = [];
  const { options } = getopt(["--bogus", "-d"], shapes, {
    program: "cuse",
    onError: (error) => errors.push(error.message),
  });
  deepEqual(options, [{ name: "daemon", argument: "" }]);
  deepEqual(errors, ["cuse: unrecognized option '--bogus'"]);
});
