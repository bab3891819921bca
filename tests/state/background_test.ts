// A relative path of state keeps its meaning when the process goes to the background, in both
// backends.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { type Address, ControlClient, DataClient } from "../support/client.ts";
import { CMD } from "../support/control.ts";
import { exists } from "../support/exists.ts";
import { run } from "../support/process.ts";
import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readNvRead, successBody, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";
import { BACKENDS } from "./stores.ts";

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

/** Starts a TPM in the background, does something with it, and shuts it down. */
async function inBackground<T>(
  folder: string,
  place: string,
  action: (data: DataClient) => Promise<T>,
): Promise<T> {
  const address = (name: string): Address => ({ transport: "unix", path: `${folder}/${name}` });
  const launcher = await run(programUnderTest(), [
    ...["socket", "--tpm2", "--daemon", "--tpmstate", place, "--pid", "file=pid"],
    ...["--flags", "not-need-init,startup-clear", "--log", "file=log"],
    ...["--server", "type=unixio,path=data", "--ctrl", "type=unixio,path=control"],
  ], { cwd: folder });
  assert.equal(launcher.code, 0, launcher.stderr);
  const pid = Number(Deno.readTextFileSync(`${folder}/pid`));
  try {
    using data = await DataClient.connect(address("data"));
    const result = await action(data);
    using control = await ControlClient.connect(address("control"));
    assert.equal(hex(await control.command(CMD.SHUTDOWN)), "00000000");
    await waitUntil("the end of the process in the background", () => !exists(`/proc/${pid}`));
    return result;
  } finally {
    if (exists(`/proc/${pid}`)) Deno.kill(pid, "SIGKILL");
  }
}

for (const backend of BACKENDS) {
  Deno.test(`${backend}: a relative path is the same in the background`, options, async () => {
    await using scratch = new TempDir();
    const folder = scratch.join("somewhere");
    Deno.mkdirSync(folder);
    if (backend === "dir") Deno.mkdirSync(`${folder}/state`);
    const place = backend === "dir" ? "dir=state" : "backend-uri=file://state";
    const value = new Uint8Array(8).fill(0x42);
    await inBackground(folder, place, async (data) => {
      successBody(await data.command(tpm2.nvDefineSpace(value.length)));
      successBody(await data.command(tpm2.nvWrite(value)));
    });
    assert(exists(`${folder}/${backend === "dir" ? "state/tpm2-00.permall" : "state"}`));
    const found = await inBackground(
      folder,
      place,
      async (data) => readNvRead(await data.command(tpm2.nvRead(value.length))),
    );
    assert.deepEqual(found, value);
  });
}
