// Unit tests of the parts list: the same for the same input, and each part under the executable it is in.
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import type { Part } from "./parts.ts";
import { sbom } from "./sbom.ts";

const FILES = [{ arch: "x64", name: "a", sha256: "00" }, {
  arch: "arm64",
  name: "b",
  sha256: "01",
}];
const part = (name: string, more: Partial<Part> = {}): Part => ({
  name,
  version: "1",
  licence: "MIT",
  licenceText: "words",
  purl: `pkg:generic/${name}@1`,
  kind: "library",
  ...more,
});

Deno.test("a part is told of the executables that it is in", () => {
  const parts = [part("everywhere"), part("here", { arch: "x64", licence: "MIT AND Zlib" })];
  const list = JSON.parse(sbom(FILES, parts, new Date(0)));
  const [, a, b] = list.dependencies;
  deepEqual([a.dependsOn.length, b.dependsOn.length], [2, 1]);
  deepEqual(list.components.at(-1).licenses, [{ expression: "MIT AND Zlib" }]);
  deepEqual(list.components.at(-2).licenses, [{ license: { id: "MIT" } }]);
});

Deno.test("the same input has the same list, with its own number", () => {
  const numberOf = (text: string) => JSON.parse(text).serialNumber as string;
  const one = sbom(FILES, [part("a")], new Date(0));
  equal(sbom(FILES, [part("a")], new Date(0)), one);
  notEqual(numberOf(sbom(FILES, [part("b")], new Date(0))), numberOf(one));
  match(numberOf(one), /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});
