// A TPM whose stored state was lost while it ran: what it has in memory is moved, and the log says why.

import assert from "node:assert/strict";
import { BLOB } from "../support/control.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readNvRead, successBody, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";
import { Host } from "./host.ts";

const OK = "00000000";

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

const LOSSES: readonly [string, (path: string) => void, RegExp][] = [
  ["was removed", (path) => Deno.removeSync(path), /tpm2-00.permall' is gone/],
  ["was emptied", (path) => Deno.truncateSync(path, 0), /cannot be read: .*permall' is empty/],
  [
    "was replaced by an older one",
    (path) => Deno.copyFileSync(`${path}.old`, path),
    /tpm2-00.permall' is another one/,
  ],
];
for (const [what, lose, words] of LOSSES) {
  Deno.test(`a state that ${what} is moved as the TPM has it [blob-memory]`, options, async () => {
    await using folder = new TempDir();
    await using other = new TempDir();
    await using source = await Host.start(`dir=${folder.path}`, undefined);
    const value = await changed(source, folder);
    lose(folder.join("tpm2-00.permall"));
    const blobs = [await source.get(BLOB.PERMANENT), await source.get(BLOB.PERMANENT)];
    assert.deepEqual(blobs.map(({ result }) => result), [0, 0], source.emulator.stderr);
    await using target = await Host.start(`dir=${other.path}`, undefined);
    assert.equal(await target.set(BLOB.PERMANENT, blobs[1]!.data), OK);
    assert.equal(await target.init(), OK, target.emulator.stderr);
    successBody(await target.data.command(tpm2.startup()));
    assert.deepEqual(readNvRead(await target.data.command(tpm2.nvRead(8))), value);
    await waitUntil("the reason in the log", () => words.test(source.emulator.stderr));
    assert.equal(source.emulator.stderr.match(/is handed out as/g)?.length, 1);
  });
}

/** A TPM with something to remember, and its state before the last change as a file beside it. */
async function changed(host: Host, folder: TempDir): Promise<Uint8Array> {
  assert.equal(await host.init(), OK);
  const value = new Uint8Array(8).fill(2);
  for (const bytes of [tpm2.startup(), tpm2.nvDefineSpace(8)]) {
    successBody(await host.data.command(bytes));
  }
  const path = folder.join("tpm2-00.permall");
  Deno.copyFileSync(path, `${path}.old`);
  successBody(await host.data.command(tpm2.nvWrite(value)));
  return value;
}
