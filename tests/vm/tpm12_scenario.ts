// A virtual machine with a TPM 1.2: raw commands on /dev/tpm0, what the kernel's driver says in
// sysfs, the firmware's event log, and a reset. Written as hex after TPM Main part 3, because the
// distribution's tools for TPM 1.2 need a daemon of their own.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { type Guest, told } from "./guest.ts";
import { type Image, Scratch, VirtualMachine } from "./virtual_machine.ts";

const zeroSha1 = "0".repeat(40);
const pcr16 = "00000010";
const success = 0;
/** TPM_BAD_ORDINAL. */
const badOrdinal = 0x0a;
const nvIndex = "00011200";
const nvContent = Buffer.from("TPM 1.2 keeps this").toString("hex");

/** Runs the whole scenario. */
export async function checkTpm12(image: Image): Promise<void> {
  await using scratch = await Scratch.make();
  await using machine = await VirtualMachine.start({
    ...{ image, folder: scratch.folder, state: await scratch.stateFolder("12"), name: "tpm12" },
    ...{ version: "1.2", device: "tpm-tis" },
  });
  const { guest } = machine;
  await guest.up();
  await checkDescription(guest);
  await checkMeasuredBoot(guest);

  const random = await expect(guest, success, "00000046", "00000014");
  assert.match(random, /^00000014[0-9a-f]{40}$/);
  assert.notEqual(await expect(guest, success, "00000046", "00000014"), random);
  assert.equal(await expect(guest, badOrdinal, "00007fff"), "");

  const digest = createHash("sha1").update("measured").digest("hex");
  const extended = createHash("sha1").update(Buffer.from(zeroSha1 + digest, "hex")).digest("hex");
  assert.equal(await expect(guest, success, "00000015", pcr16), zeroSha1);
  assert.equal(await expect(guest, success, "00000014", pcr16, digest), extended);
  assert.equal(await expect(guest, success, "00000015", pcr16), extended);
  assert.equal(told(await guest.run("tpm12_sysfs"), "pcr-16").toLowerCase(), extended);

  await writeNv(guest);
  assert.equal(await readNv(guest), nvContent);

  await guest.send("reboot");
  await guest.up();
  assert.equal(await readNv(guest), nvContent, "NV after a reset");
  assert.equal(await expect(guest, success, "00000015", pcr16), zeroSha1, "PCR 16 after a reset");
  await checkMeasuredBoot(guest);
  await machine.powerOff();
}

/** Sends one command without authorization; gives the answer's parameters after checking its head. */
async function expect(guest: Guest, result: number, ...words: string[]): Promise<string> {
  const body = words.join("");
  const size = (6 + body.length / 2).toString(16).padStart(8, "0");
  const answer = told(await guest.run("tpm12_command", `00c1${size}${body}`), "response");
  const [, tag, length = "", code = "", parameters = ""] =
    /^(.{4})(.{8})(.{8})(.*)$/.exec(answer) ?? [];
  assert.equal(tag, "00c4", `tag of the answer ${answer} to ${body}`);
  assert.equal(parseInt(length, 16), answer.length / 2, `size in the answer ${answer} to ${body}`);
  assert.equal(parseInt(code, 16), result, `result in the answer ${answer} to ${body}`);
  return parameters;
}

async function checkDescription(guest: Guest): Promise<void> {
  const driver = await guest.run("tpm12_sysfs");
  assert.equal(told(driver, "major"), "1");
  assert.match(told(driver, "caps"), /Manufacturer: 0x49424d00 TCG version: 1\.2 /);
  assert.equal(told(driver, "enabled"), "1");
  assert.equal(told(driver, "active"), "1");
  assert.equal(told(driver, "owned"), "0");
  // TPM_GetCapability for TPM_CAP_VERSION_VAL: size, then TPM_CAP_VERSION_INFO.
  const version = await expect(guest, success, "00000065", "0000001a", "00000000");
  assert.match(version, /^[0-9a-f]{8}00300102/);
}

/** The event log's replay must give what TPM_PCRRead and sysfs give, and not nothing. */
async function checkMeasuredBoot(guest: Guest): Promise<void> {
  const log = await guest.run("tpm12_event_log");
  const driver = await guest.run("tpm12_sysfs");
  for (let index = 0; index < 8; index++) {
    const number = index.toString(16).padStart(8, "0");
    const held = await expect(guest, success, "00000015", number);
    assert.notEqual(held, zeroSha1, `nothing was measured into PCR ${index}`);
    assert.equal(told(log, `sha1.${index}`).toLowerCase(), held, `PCR ${index} in the event log`);
    assert.equal(told(driver, `pcr-0${index}`).toLowerCase(), held, `PCR ${index} in sysfs`);
  }
}

/** TPM_NV_DefineSpace and TPM_NV_WriteValue; a TPM that is not locked asks for no authorization. */
async function writeNv(guest: Guest): Promise<void> {
  // TPM_PCR_INFO_SHORT: no PCR selected, all localities.
  const anyPcrs = `0003000000${"1f"}${zeroSha1}`;
  const size = (nvContent.length / 2).toString(16).padStart(8, "0");
  // TPM_NV_ATTRIBUTES: TPM_NV_PER_OWNERWRITE, since an index nobody may write is refused.
  const attributes = "001700000002";
  const space = `0018${nvIndex}${anyPcrs}${anyPcrs}${attributes}000000${size}`;
  await expect(guest, success, "000000cc", space, zeroSha1);
  await expect(guest, success, "000000cd", nvIndex, "00000000", size, nvContent);
}

async function readNv(guest: Guest): Promise<string> {
  const size = (nvContent.length / 2).toString(16).padStart(8, "0");
  const value = await expect(guest, success, "000000cf", nvIndex, "00000000", size);
  assert.equal(value.slice(0, 8), size);
  return value.slice(8);
}
