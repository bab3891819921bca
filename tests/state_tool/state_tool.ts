// Runs `swtpm state`, and makes TPMs with something in them for it to find.

import assert from "node:assert/strict";
import { Client as Client12 } from "../../tcg/tpm12/client/client.ts";
import { TPM_Extend } from "../../tcg/tpm12/commands/pcrs.ts";
import { TPM2_EvictControl } from "../../tcg/tpm2/commands/contexts.ts";
import { TPM2_CreatePrimary } from "../../tcg/tpm2/commands/hierarchies.ts";
import { Client } from "../../tcg/tpm2/client/client.ts";
import { TPM_RH } from "../../tcg/tpm2/constants.ts";
import { srkTemplate } from "../../tcg/tpm2/templates/storage.ts";
import { CMD } from "../support/control.ts";
import { Emulator, type EmulatorOptions } from "../support/emulator.ts";
import { type Outcome, run } from "../support/process.ts";
import { programUnderTest } from "../support/programs.ts";
import { hex } from "../support/bytes.ts";
import { counterBytes, readPcrRead, successBody, tpm2 } from "../support/tpm2.ts";

export async function stateTool(...words: string[]): Promise<Outcome> {
  return await run(programUnderTest(), ["state", ...words]);
}

/** What `show --json` says of the one TPM there. */
// deno-lint-ignore no-explicit-any
export async function shown(...words: string[]): Promise<any> {
  const { code, stdout, stderr } = await stateTool("show", "--json", ...words);
  assert.deepEqual([code, stderr], [0, ""]);
  const { tpms } = JSON.parse(stdout);
  assert.equal(tpms.length, 1);
  return tpms[0];
}

export const KEPT = 0x81000001;
export const REMEMBERED = 4711;

/** What a TPM should be found to hold. */
export interface Made {
  readonly pcr16: string;
  readonly name: string;
}

/** Has an emulator keep a key, a number in NV and a PCR, and store its volatile state. */
export async function makeTpm(options: EmulatorOptions): Promise<Made> {
  await using emulator = await Emulator.start({ ...options, flags: ["startup-clear"] });
  using data = await emulator.connectData();
  using control = await emulator.connectControl();
  const client = new Client((command) => data.command(command));
  const { objectHandle, name } = await client.run(TPM2_CreatePrimary, {
    primaryHandle: TPM_RH.OWNER,
    inSensitive: { userAuth: new Uint8Array(), data: new Uint8Array() },
    inPublic: srkTemplate("ECC P-256"),
    outsideInfo: new Uint8Array(),
    creationPCR: [],
  });
  await client.run(TPM2_EvictControl, {
    ...{ auth: TPM_RH.OWNER, objectHandle, persistentHandle: KEPT },
  });
  for (
    const command of [
      tpm2.nvDefineSpace(8),
      tpm2.nvWrite(counterBytes(REMEMBERED)),
      tpm2.pcrExtend(16, new Uint8Array(32).fill(7)),
    ]
  ) successBody(await data.command(command));
  const pcr16 = hex(readPcrRead(await data.command(tpm2.pcrRead(16))));
  assert.equal(hex(await control.command(CMD.STORE_VOLATILE)), "00000000");
  await emulator.stop();
  return { pcr16, name: hex(name) };
}

/** A TPM 1.2 with a value in PCR 10, which is returned; its volatile state is stored. */
export async function makeTpm12(options: EmulatorOptions): Promise<string> {
  await using emulator = await Emulator.start({
    ...{ ...options, tpm2: false, flags: ["startup-clear"] },
  });
  using data = await emulator.connectData();
  using control = await emulator.connectControl();
  const client = new Client12((command) => data.command(command.slice()));
  const inDigest = new Uint8Array(20).fill(7);
  const { outDigest } = await client.run(TPM_Extend, { pcrNum: 10, inDigest });
  assert.equal(hex(await control.command(CMD.STORE_VOLATILE)), "00000000");
  await emulator.stop();
  return hex(outDigest);
}
