// Unit tests of options that are long behind one dash, too: what glibc's getopt_long_only makes of them.
import { deepEqual, equal } from "node:assert/strict";
import { LongOnlyLine } from "./long_only.ts";
import { toolOptions } from "./tool_options.ts";

/** Each step in short: `name=argument`, an operand, or the message. */
function steps(words: string[], operandEnds = false): string[] {
  const line = new LongOnlyLine(words, toolOptions("ioctl"), "prog", operandEnds);
  return [...line].map((step) => {
    if (step.kind === "option") return `${step.name}=${step.argument}`;
    return step.kind === "operand" ? step.word : step.error.message;
  });
}

Deno.test("one dash or two, abbreviations, separate and joined arguments", () => {
  deepEqual(steps(["-c", "--c", "-stop", "--sto", "-tc", "h:1", "--unix=p", "-l=0"]), [
    ...["c=", "c=", "stop=", "stop=", "tcp=h:1", "unix=p", "l=0"],
  ]);
});

Deno.test("a whole name is no abbreviation", () => {
  deepEqual(steps(["-s", "-h", "x", "-C", "-i"]), ["s=", "h=x", "C=", "i="]);
});

Deno.test("operands may stand anywhere, and everything behind -- is one", () => {
  deepEqual(steps(["a", "-c", "-", "--", "-c"]), ["a", "c=", "-", "-c"]);
  deepEqual(steps(["-c", "a", "-i"], true), ["c=", "a", "-i"]);
});

for (
  const [word, message] of [
    ["-x", "unrecognized option '-x'"],
    ["--stap", "unrecognized option '--stap' (did you mean '--stop'?)"],
    ["-st=1", "option '-stop' doesn't allow an argument"],
    ["--unix", "option '--unix' requires an argument"],
    ["-in", "option '-info' requires an argument"],
    ["--t", "option '--t' is ambiguous; possibilities: '--tpm-device' '--tcp'"],
  ] as const
) {
  Deno.test(`refuses ${word}`, () => {
    deepEqual(steps([word]), [`prog: ${message}`]);
  });
}

Deno.test("what takes two arguments asks for the second", () => {
  const line = new LongOnlyLine(["-save", "a", "-b", "c"], toolOptions("ioctl"), "prog");
  const [step] = line;
  equal(step?.kind === "option" && step.argument, "a");
  equal(line.at, 2);
  equal(line.take(), "-b");
  equal(line.at, 3);
});
