// The lines of configuration files, as the C program reads them.

import assert from "node:assert/strict";
import { KeyValues } from "./key_values.ts";

const read = (text: string) =>
  new KeyValues(text, (name) => name === "HOME" ? "/home/one" : undefined);

Deno.test("a value is the rest of its line, without comment and blanks", () => {
  const values = read("a=1\n b = 2\nc\t=  x y  # z\nd=\ne = ${HOME}/f\r\na = 3\n#g=4\nh=#\n");
  assert.equal(values.get("a"), "1", "the first line counts");
  assert.equal(values.get("b"), undefined, "a key begins its line");
  assert.equal(values.get("c"), "x y");
  assert.equal(values.get("d"), undefined);
  assert.equal(values.get("e"), "/home/one/f");
  assert.equal(values.get("g"), undefined);
  assert.equal(values.get("h"), undefined);
});

Deno.test("a key is not the beginning of another", () => {
  const values = read("profile_file = f\nprofile = p\n");
  assert.equal(values.get("profile"), "p");
  assert.equal(values.get("profile_file"), "f");
  assert.equal(values.get("prof"), undefined);
});

Deno.test("variables that are not set are empty, and a half one stands for itself", () => {
  assert.equal(read("a = x${NONE}y").get("a"), "xy");
  assert.equal(read("a = ${NONE}").get("a"), undefined);
  assert.equal(read("a = x${HOME").get("a"), "x${HOME");
});

Deno.test("lines for the environment keep what other values lose", () => {
  const values = read("env:ONE = a # b \nenv:TWO=${HOME}\n env:THREE=c\nenv:4=d\n");
  assert.deepEqual(values.variables(), [["ONE", "a # b "], ["TWO", "/home/one"]]);
});
