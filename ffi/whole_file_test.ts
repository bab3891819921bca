// A file that is replaced as a whole: what stays of the old one, links, what others have left.

import assert from "node:assert/strict";
import { Files } from "./files.ts";
import { Libc } from "./libc.ts";
import { WholeFile } from "./whole_file.ts";

const files = new Files(new Libc());

/** A test in a folder of its own. Functions of a library stay open from their first use on. */
function test(name: string, fn: (folder: string) => void): void {
  Deno.test({
    name,
    sanitizeResources: false,
    fn: () => {
      const folder = Deno.makeTempDirSync();
      try {
        fn(folder);
      } finally {
        Deno.removeSync(folder, { recursive: true });
      }
    },
  });
}

function write(path: string, text: string): void {
  using file = new WholeFile(files, path);
  file.write(new TextEncoder().encode(text));
}

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

test("a file is made or replaced, with its mode", (folder) => {
  const path = `${folder}/state`;
  write(path, "one");
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
  Deno.chmodSync(path, 0o640);
  write(path, "two");
  assert.equal(Deno.readTextFileSync(path), "two");
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o640);
  assert.deepEqual(namesIn(folder), ["state"]);
});

test("a link leads to what is replaced", (folder) => {
  Deno.mkdirSync(`${folder}/there`);
  Deno.writeTextFileSync(`${folder}/there/state`, "one");
  Deno.symlinkSync("there/state", `${folder}/link`);
  write(`${folder}/link`, "two");
  assert.ok(Deno.lstatSync(`${folder}/link`).isSymlink);
  assert.equal(Deno.readTextFileSync(`${folder}/there/state`), "two");
});

test("what a process of the same number has left is no obstacle", (folder) => {
  Deno.writeTextFileSync(`${folder}/.swtpm-${Deno.pid}`, "half");
  write(`${folder}/state`, "whole");
  assert.equal(Deno.readTextFileSync(`${folder}/state`), "whole");
  assert.deepEqual(namesIn(folder), ["state"]);
});

test("what cannot be written to is told before there is anything to write", (folder) => {
  assert.throws(() => new WholeFile(files, `${folder}/nowhere/state`), /No such file/);
  assert.throws(() => new WholeFile(files, folder), /directory/);
});
