// Writes an NV index into a TPM's state before any guest has seen it, with the host's tpm2-tools:
// what is in no guest's memory can be looked for in a stream that holds that memory.

import assert from "node:assert/strict";
import { run } from "./command.ts";
import { emulatorProgram } from "./emulator.ts";
import { Process } from "./process.ts";

const startLimitMs = 5_000;
const exitLimitMs = 10_000;

/** Leaves `content` under the NV index in the TPM 2 state at `state`. */
export async function provisionNv(
  folder: string,
  state: string,
  index: string,
  content: Uint8Array,
): Promise<void> {
  const socket = `${folder}/provision`;
  await using emulator = new Process("provisioning emulator", emulatorProgram(), [
    ...["socket", "--tpm2", "--tpmstate", `dir=${state}`, "--flags", "startup-clear"],
    ...["--server", `type=unixio,path=${socket}`, "--ctrl", `type=unixio,path=${socket}.ctrl`],
  ]);
  const evidence = () => `--- ${emulator.name} on standard error\n${emulator.stderr}`;
  for (const path of [socket, `${socket}.ctrl`]) {
    await emulator.listening(path, startLimitMs, evidence);
  }
  const env = { TPM2TOOLS_TCTI: `swtpm:path=${socket}` };
  await Deno.writeFile(`${folder}/content`, content);
  await run("tpm2", ["nvdefine", "-Q", "-C", "o", "-s", `${content.length}`, index], { env });
  await run("tpm2", ["nvwrite", "-Q", "-C", "o", "-i", `${folder}/content`, index], { env });
  emulator.terminate();
  assert.equal(await emulator.exitCode(exitLimitMs, evidence), 0, evidence());
}
