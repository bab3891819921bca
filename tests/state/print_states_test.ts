// --print-states over all backends and both versions, compared with the C program to the letter.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { run } from "../support/process.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { firmwareStart } from "../support/tpm12.ts";
import { successBody, tpm2 } from "../support/tpm2.ts";
import { BACKENDS, makeKey, makePlace, startOn } from "./stores.ts";

const OK = "00000000";

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

async function print(program: Program, place: string, isTpm2: boolean): Promise<string> {
  const outcome = await run(program, [
    ...["socket", "--tpmstate", place, "--print-states"],
    ...isTpm2 ? ["--tpm2"] : [],
  ]);
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome.stdout;
}

for (const isTpm2 of [false, true]) {
  for (const backend of BACKENDS) {
    for (const kind of ["no key", "key file, 256 bit"] as const) {
      const name = `${isTpm2 ? "TPM 2" : "TPM 1.2"}, ${backend}, ${kind}`;
      Deno.test(`${name}: the states are printed as by the C program`, options, async () => {
        await using folder = new TempDir();
        const place = makePlace(folder, backend);
        const key = makeKey(folder, kind);
        const theirs = await peerProgram("0.10");
        const both = async () => {
          const ours = await print(programUnderTest(), place, isTpm2);
          assert.equal(ours, await print(theirs, place, isTpm2));
          return JSON.parse(ours).states.map((state: { name: string }) => state.name);
        };
        assert.deepEqual(await both(), []);

        await using emulator = await startOn(place, key, { tpm2: isTpm2 });
        using control = await emulator.connectControl();
        using data = await emulator.connectData();
        const ctrl = async (number: number, bytes?: Uint8Array) =>
          hex(await control.command(number, bytes));
        assert.equal(await ctrl(CMD.INIT, payload.init()), OK);
        // While the TPM runs and has the lock.
        assert.deepEqual(await both(), ["permall"]);
        for (const bytes of isTpm2 ? [tpm2.startup()] : firmwareStart()) {
          successBody(await data.command(bytes));
        }
        assert.equal(await ctrl(CMD.STORE_VOLATILE), OK);
        assert.deepEqual(await both(), ["permall", "volatilestate"]);
        assert.equal((await emulator.stop()).code, 0);
        assert.deepEqual(await both(), ["permall", "volatilestate"]);
      });
    }
  }
}

Deno.test("looking makes no folder and no state", options, async () => {
  await using folder = new TempDir();
  const none = '{ "type": "swtpm", "states": [] }';
  assert.equal(await print(programUnderTest(), `dir=${folder.path}/none`, true), none);
  assert.equal(await print(programUnderTest(), `dir=${folder.path}`, true), none);
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("without a place there is nothing to print", options, async () => {
  const outcome = await run(programUnderTest(), ["socket", "--tpm2", "--print-states"]);
  assert.equal(outcome.code, 1);
  assert.equal(outcome.stdout, "");
  assert.match(outcome.stderr, /--tpmstate/);
});
