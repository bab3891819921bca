// Tests of what goes into which text, with chunks as the bundler writes them.

import assert from "node:assert/strict";
import { cutTexts, TEXTS } from "./texts.ts";

Deno.test("texts: a module is in the first text whose users need it, and handed out to later ones", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "swtpm-test-" });
  try {
    const chunk = (name: string, text: string) => Deno.writeTextFileSync(`${folder}/${name}`, text);
    for (const name of TEXTS.flatMap(({ begins }) => begins)) {
      chunk(`${name}-ABCDEFGH.js`, 'import{a}from"./chunk-AAAAAAAA.js";');
    }
    chunk(
      "run-ABCDEFGH.js",
      'import{a}from"./chunk-AAAAAAAA.js";import"./key-ABCDEFGH.js";import"./own.js"',
    );
    chunk(
      "own.js",
      'import("./key-ABCDEFGH.js");import("./late.js");import("./trace-ABCDEFGH.js")',
    );
    chunk("late.js", "");
    chunk("setup-ABCDEFGH.js", 'import{o}from"./own.js";');
    chunk("chunk-AAAAAAAA.js", "export{a};");
    chunk("key-ABCDEFGH.js", "export{k};");
    chunk(
      "main.js",
      'import{a as b}from"./chunk-AAAAAAAA.js";import("./run-ABCDEFGH.js");import("./key-ABCDEFGH.js");',
    );
    const externalsOf: Record<string, readonly string[]> = {};
    await cutTexts(folder, (entry, externals) => {
      externalsOf[entry] = externals;
      return Promise.resolve(`${folder}/${entry}`);
    });

    const read = (name: string) => Deno.readTextFileSync(`${folder}/${name}`);
    assert.match(
      read("main.js"),
      /later\("run\.js","\.\/run-ABCDEFGH\.js"\);import\("\.\/key-ABCDEFGH\.js"\)/,
    );
    assert.match(read("program.js"), /export \* as "\.\/chunk-AAAAAAAA\.js" from/);
    assert.equal(
      read("own.js"),
      'Promise.resolve(require("./key-ABCDEFGH.js"));import("./late.js");' +
        'later("tools.js","./trace-ABCDEFGH.js")',
    );
    // What a start would not run is not run for being shared.
    assert.match(read("program.js"), /"\.\/key-ABCDEFGH\.js": \(\) => require\(/);
    assert.match(read("run.js"), /modules = [^]*"\.\/run-ABCDEFGH\.js": \(\) => import\(/);
    assert.match(read("run.js"), /lazily = [^]*"\.\/own\.js": \(\) => require\(/);
    assert.match(read("tools.js"), /modules = [^]*"\.\/trace-ABCDEFGH\.js": \(\) => import\(/);
    const externals = Object.entries(externalsOf).map(([name, of]) => [name, of.toSorted()]);
    assert.deepEqual(Object.fromEntries(externals), {
      "program.js": [],
      "run.js": ["./chunk-AAAAAAAA.js", "./key-ABCDEFGH.js"],
      "tools.js": ["./chunk-AAAAAAAA.js", "./own.js"],
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("texts: a name that no module or two modules have is refused", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "swtpm-test-" });
  try {
    Deno.writeTextFileSync(`${folder}/main.js`, "");
    const cut = () => cutTexts(folder, () => Promise.reject(new Error("not bundled")));
    await assert.rejects(cut, /^Error: 0 chunks begin with a module "run"/);
    for (const hash of ["ABCDEFGH", "HGFEDCBA"]) {
      Deno.writeTextFileSync(`${folder}/run-${hash}.js`, "");
    }
    await assert.rejects(cut, /^Error: 2 chunks begin with a module "run"/);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
