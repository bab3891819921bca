// Unit tests of the grammar inside structured options.
import { deepEqual, equal, throws } from "node:assert/strict";
import { type Parameters, parseParameters } from "./grammar.ts";
import { nearest } from "./nearest.ts";

const parameters = {
  type: "string",
  port: "int",
  level: "uint",
  terminate: "boolean",
  mode: "mode",
  uid: "uid",
  profile: "string",
} as const satisfies Parameters;
const names = {
  user: (name: string) => name === "tss" ? 107 : undefined,
  group: () => undefined,
};
const parse = (text: string) => parseParameters("ctrl", text, parameters, names);

Deno.test("values of all types", () => {
  deepEqual(parse("type=unixio,port=-1,level=7,terminate,mode=0600,uid=tss"), {
    type: "unixio",
    port: -1,
    level: 7,
    terminate: true,
    mode: 0o600,
    uid: 107,
  });
});

Deno.test("booleans are true for true and 1, false for all else", () => {
  for (const [text, value] of [["true", true], ["TRUE", true], ["1", true], ["yes", false]]) {
    equal(parse(`terminate=${text}`).terminate, value);
  }
});

Deno.test("the first of two counts", () => {
  equal(parse("port=1,port=2").port, 1);
});

Deno.test("a JSON value may hold commas", () => {
  equal(parse('profile={"a":{"b":1,"c":2}},port=3').profile, '{"a":{"b":1,"c":2}}');
});

Deno.test("refusals name what was wrong", () => {
  const refusals: [string, RegExp][] = [
    ["", /Unknown option ''/],
    ["type=a,,port=1", /Unknown option ''/],
    ["type=", /Unknown option 'type='/],
    ["bogus=1", /Unknown option 'bogus=1'/],
    ["terminat", /Unknown option 'terminat' \(did you mean 'terminate'\?\)/],
    ["port=1x", /invalid number '1x' for 'port'/],
    ["port", /invalid number 'true' for 'port'/],
    ["port=2147483648", /outside valid range/],
    ["level=-1", /invalid number '-1' for 'level'/],
    ["mode=9", /invalid mode type '9'/],
    ["mode=01000", /mode '01000' for 'mode' is invalid/],
    ["uid=nobody-of-that-name", /user 'nobody-of-that-name' for 'uid' does not exist/],
    ['profile={"a":1,"b":2', /Unterminated/],
    ['profile={"a":1}x,port=1', /Unexpected character 'x'/],
  ];
  for (const [text, message] of refusals) throws(() => parse(text), { message });
});

Deno.test("the nearest name is within two edits", () => {
  equal(nearest("tmpstate", ["tpmstate", "tpm2"]), "tpmstate");
  equal(nearest("xyz", ["tpmstate", "tpm2"]), undefined);
});
