// Makes the code cache: starts the training executable as a TPM for a virtual machine, keeps it busy
// for a moment, and takes what it wrote when it ended. Whatever else a program can be asked to do is
// compiled when it is asked.

import type { ControlClient } from "../../tests/support/client.ts";
import { CMD, type ControlName, payload, RESULT } from "../../tests/support/control.ts";
import { Emulator } from "../../tests/support/emulator.ts";
import { plainProgram } from "../../tests/support/programs.ts";
import { successBody, tpm2 } from "../../tests/support/tpm2.ts";
import { CODE_CACHE_FILE } from "./parts.ts";

const DIGEST = new Uint8Array(32).fill(1);

/** Runs the training executable; returns the code cache. Throws when the TPM does not work. */
export async function train(executable: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = `${executable}.code`;
  await using emulator = await Emulator.start({
    program: plainProgram("the training executable", executable),
    env: { [CODE_CACHE_FILE]: path },
  });
  using control = await emulator.connectControl();
  await tell(control, "GET_CAPABILITY");
  await tell(control, "SET_BUFFERSIZE", payload.setBufferSize(0));
  await tell(control, "INIT", payload.init());
  await tell(control, "GET_TPMESTABLISHED");
  using data = await emulator.connectData();
  const commands = [
    tpm2.startup(),
    tpm2.selfTest(false),
    tpm2.getRandom(16),
    tpm2.pcrExtend(0, DIGEST),
    tpm2.nvDefineSpace(32),
    tpm2.shutdown(),
  ];
  for (const command of commands) successBody(await data.command(command));
  await tell(control, "SHUTDOWN");
  const { code, stderr } = await emulator.process.ended();
  if (code !== 0) throw new Error(`the training executable ended with ${code}: ${stderr}`);
  return Deno.readFileSync(path);
}

async function tell(
  control: ControlClient,
  command: ControlName,
  payload?: Uint8Array,
): Promise<void> {
  const answer = await control.command(CMD[command], payload);
  const result = new DataView(answer.buffer, answer.byteOffset).getUint32(0);
  if (result !== RESULT.SUCCESS) throw new Error(`${command} gave 0x${result.toString(16)}`);
}
