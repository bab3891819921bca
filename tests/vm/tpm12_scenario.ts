// A virtual machine with a TPM 1.2: raw commands on /dev/tpm0, what the kernel's driver says in
// sysfs, the firmware's event log, and a reset. The commands are those of tcg/, sent as hex, because
// the distribution's tools for TPM 1.2 need a daemon of their own.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { decode } from "../../tcg/kernel/codec.ts";
import { TPM_CAP } from "../../tcg/tpm12/capabilities.ts";
import { Client } from "../../tcg/tpm12/client/client.ts";
import { TPM_GetCapability } from "../../tcg/tpm12/commands/capabilities.ts";
import { TPM_GetRandom } from "../../tcg/tpm12/commands/cryptography.ts";
import { TPM_NV_ReadValue } from "../../tcg/tpm12/commands/nv.ts";
import { TPM_Extend, TPM_PcrRead } from "../../tcg/tpm12/commands/pcrs.ts";
import { readResponse } from "../../tcg/tpm12/message.ts";
import { TPM_RESULT } from "../../tcg/tpm12/results.ts";
import { TPM_CAP_VERSION_INFO } from "../../tcg/tpm12/structures/versions.ts";
import { hex, text, unhex } from "../support/bytes.ts";
import { tpm12 } from "../support/tpm12.ts";
import { type Guest, told } from "./guest.ts";
import { type Image, Scratch, VirtualMachine } from "./virtual_machine.ts";

const ZERO_SHA1 = "0".repeat(40);
const PCR = 16;
const NV_INDEX = 0x00011200;
const NV_CONTENT = text("TPM 1.2 keeps this");

/** Runs the whole scenario. */
export async function checkTpm12(image: Image): Promise<void> {
  await using scratch = await Scratch.make();
  await using machine = await VirtualMachine.start({
    ...{ image, folder: scratch.folder, state: await scratch.stateFolder("12"), name: "tpm12" },
    ...{ version: "1.2", device: "tpm-tis" },
  });
  const { guest } = machine;
  const tpm = clientIn(guest);
  await guest.up();
  await checkDescription(guest, tpm);
  await checkMeasuredBoot(guest, tpm);

  const { randomBytes } = await tpm.run(TPM_GetRandom, { bytesRequested: 20 });
  assert.equal(randomBytes.length, 20);
  const again = await tpm.run(TPM_GetRandom, { bytesRequested: 20 });
  assert.notDeepEqual(again.randomBytes, randomBytes);
  const unknown = await tpm.send(unhex("00c1 0000000a 00007fff"));
  assert.equal(readResponse(unknown, undefined).code, TPM_RESULT.BAD_ORDINAL);

  const digest = createHash("sha1").update("measured").digest();
  const extended = createHash("sha1").update(unhex(ZERO_SHA1)).update(digest).digest("hex");
  assert.equal(await readPcr(tpm, PCR), ZERO_SHA1);
  const inDigest = new Uint8Array(digest);
  const { outDigest } = await tpm.run(TPM_Extend, { pcrNum: PCR, inDigest });
  assert.equal(hex(outDigest), extended);
  assert.equal(await readPcr(tpm, PCR), extended);
  assert.equal(told(await guest.run("tpm12_sysfs"), "pcr-16").toLowerCase(), extended);

  await writeNv(tpm);
  assert.deepEqual(await readNv(tpm), NV_CONTENT);

  await guest.send("reboot");
  await guest.up();
  assert.deepEqual(await readNv(tpm), NV_CONTENT, "NV after a reset");
  assert.equal(await readPcr(tpm, PCR), ZERO_SHA1, "PCR 16 after a reset");
  await checkMeasuredBoot(guest, tpm);
  await machine.powerOff();
}

/** Commands go to the guest's device. */
function clientIn(guest: Guest): Client {
  return new Client(async (command) =>
    unhex(told(await guest.run("tpm12_command", hex(command)), "response"))
  );
}

async function readPcr(tpm: Client, pcrIndex: number): Promise<string> {
  return hex((await tpm.run(TPM_PcrRead, { pcrIndex })).outDigest);
}

async function checkDescription(guest: Guest, tpm: Client): Promise<void> {
  const driver = await guest.run("tpm12_sysfs");
  assert.equal(told(driver, "major"), "1");
  assert.match(told(driver, "caps"), /Manufacturer: 0x49424d00 TCG version: 1\.2 /);
  assert.equal(told(driver, "enabled"), "1");
  assert.equal(told(driver, "active"), "1");
  assert.equal(told(driver, "owned"), "0");
  const asked = { capArea: TPM_CAP.VERSION_VAL, subCap: new Uint8Array(0) };
  const { resp } = await tpm.run(TPM_GetCapability, asked);
  const { version } = decode(TPM_CAP_VERSION_INFO, resp);
  assert.deepEqual([version.major, version.minor], [1, 2]);
}

/** The event log's replay must give what TPM_PCRRead and sysfs give, and not nothing. */
async function checkMeasuredBoot(guest: Guest, tpm: Client): Promise<void> {
  const log = await guest.run("tpm12_event_log");
  const driver = await guest.run("tpm12_sysfs");
  for (let index = 0; index < 8; index++) {
    const held = await readPcr(tpm, index);
    assert.notEqual(held, ZERO_SHA1, `nothing was measured into PCR ${index}`);
    assert.equal(told(log, `sha1.${index}`).toLowerCase(), held, `PCR ${index} in the event log`);
    assert.equal(told(driver, `pcr-0${index}`).toLowerCase(), held, `PCR ${index} in sysfs`);
  }
}

/** A TPM that is not locked asks for no authorization. */
async function writeNv(tpm: Client): Promise<void> {
  for (
    const command of [
      tpm12.nvDefineSpace(NV_CONTENT.length, NV_INDEX),
      tpm12.nvWriteValue(NV_CONTENT, 0, NV_INDEX),
    ]
  ) assert.equal(readResponse(await tpm.send(command), undefined).code, TPM_RESULT.SUCCESS);
}

async function readNv(tpm: Client): Promise<Uint8Array> {
  const place = { nvIndex: NV_INDEX, offset: 0, dataSize: NV_CONTENT.length };
  return (await tpm.run(TPM_NV_ReadValue, place)).data;
}
