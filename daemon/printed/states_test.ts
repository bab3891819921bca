// What --print-states answers, to the letter.
import assert from "node:assert/strict";
import { Files } from "../../ffi/files.ts";
import { Libc } from "../../ffi/libc.ts";
import { placeOf } from "../../state/place.ts";
import { printStates } from "./states.ts";

const system = { files: new Files(new Libc()) };

function test(name: string, fn: (directory: string) => Promise<void>): void {
  Deno.test({
    name,
    sanitizeResources: false, // functions of the C library stay open from their first use on
    fn: async () => {
      const directory = Deno.makeTempDirSync();
      try {
        await fn(directory);
      } finally {
        Deno.removeSync(directory, { recursive: true });
      }
    },
  });
}

function states(uri: string, tpm2 = true, given: { backup?: boolean; fsync?: boolean } = {}) {
  return printStates(system, {
    state: {
      place: placeOf(uri),
      mode: undefined,
      lock: true,
      backup: false,
      fsync: false,
      ...given,
    },
    tpm2,
  });
}

const NONE = '{ "type": "swtpm", "states": [] }';

test("no states, and no directory either", async (directory) => {
  assert.equal(await states(`dir://${directory}`), NONE);
  assert.equal(await states(`dir://${directory}/none`), NONE);
  assert.deepEqual([...Deno.readDirSync(directory)], []);
});

test("states in their order, with the sizes of their files", async (directory) => {
  Deno.writeFileSync(`${directory}/tpm2-00.volatilestate`, new Uint8Array(7));
  Deno.writeFileSync(`${directory}/tpm2-00.permall`, new Uint8Array(1234));
  assert.equal(
    await states(`dir://${directory}`),
    '{ "type": "swtpm", "states": [ {"name": "permall", "size": 1234}, ' +
      '{"name": "volatilestate", "size": 7} ] }',
  );
  assert.equal(await states(`dir://${directory}`, false), NONE);
  Deno.writeFileSync(`${directory}/tpm-00.savestate`, new Uint8Array(1));
  assert.equal(
    await states(`dir://${directory}`, false),
    '{ "type": "swtpm", "states": [ {"name": "savestate", "size": 1} ] }',
  );
});

test("a backup counts as the state that it will become", async (directory) => {
  Deno.writeFileSync(`${directory}/tpm2-00.permall.bak`, new Uint8Array(5));
  assert.equal(await states(`dir://${directory}`), NONE);
  assert.match(await states(`dir://${directory}`, true, { backup: true }), /"permall", "size": 5/);
});

test("a linear file, which is made by looking", async (directory) => {
  assert.equal(await states(`file://${directory}/state`), NONE);
  assert.equal(Deno.statSync(`${directory}/state`).size, 192);
  assert.equal(await states(`file://${directory}/state`), NONE);
});

test("what cannot be looked at is an error", async (directory) => {
  Deno.mkdirSync(`${directory}/tpm2-00.permall`);
  await assert.rejects(() => states(`dir://${directory}`), /not a regular file/);
  await assert.rejects(() => states("http://x"), /unsupported backend 'http:\/\/x'/);
  await assert.rejects(
    () => states(`file://${directory}/state`, true, { fsync: true }),
    /'fsync' of --tpmstate is for directories only/,
  );
  await assert.rejects(
    () => printStates(system, { state: undefined, tpm2: true }),
    /no state directory/,
  );
});
