// Virtual machines boot with the emulator as their TPM: firmware measures into it, the kernel's
// drivers and tpm2-tools use it, its state outlives a power-off and a reset.
// Migration and snapshots are in migrate_test.ts.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Told, told } from "./guest.ts";
import { inLanes } from "./lanes.ts";
import { type Image, prepareImage, Scratch, VirtualMachine } from "./virtual_machine.ts";
import { checkTpm12 } from "./tpm12_scenario.ts";

const nvIndex = "0x1500016";
const nvContent = Buffer.from("kept over power-off and reset").toString("hex");
const zeroSha256 = "0".repeat(64);
const firmwarePcrs = [0, 1, 2, 3, 4, 5, 6, 7];

/** Parallel steps share nothing but the image; their child processes overlap in time. */
const parallel = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };

Deno.test("virtual machines boot with the emulator as their TPM", parallel, async (t) => {
  const image = await prepareImage();
  console.log(`guests run under ${image.accelerator}`);
  const step = (name: string, fn: () => Promise<void>) => async () => {
    await t.step({ name, fn, ...parallel });
  };
  // A guest under software emulation keeps one core busy.
  await inLanes(2, [
    step(
      "TPM 2 on tpm-crb: tools, PCRs, keys, NV, measured boot, second boot",
      () => twoBoots(image),
    ),
    step("TPM 1.2 on tpm-tis: raw commands, sysfs, measured boot, reset", () => checkTpm12(image)),
    step("TPM 2: a reset keeps NV and clears PCR 16", () => resetInside(image)),
    step("TPM 2 on tpm-tis", () => tisBoot(image)),
  ]);
});

async function twoBoots(image: Image): Promise<void> {
  await using scratch = await Scratch.make();
  const state = await scratch.stateFolder("kept");
  const kept = { image, folder: scratch.folder, state, version: "2", device: "tpm-crb" } as const;
  const primary = await firstBoot({ ...kept, name: "first" });
  await secondBoot({ ...kept, name: "second" }, primary);
}

type Setup = Parameters<typeof VirtualMachine.start>[0];

/** Gives the name of the primary key, which tells the state's seed. */
async function firstBoot(setup: Setup): Promise<string> {
  await using machine = await VirtualMachine.start(setup);
  const { guest, emulator } = machine;
  assert.equal(permissions(emulator.socket), "600", "mode of the control socket");
  await guest.up();

  const random = await guest.run("tpm2_random", "32");
  assert.match(told(random, "first"), /^[0-9a-f]{64}$/);
  assert.match(told(random, "second"), /^[0-9a-f]{64}$/);
  assert.notEqual(told(random, "first"), told(random, "second"));

  const pcrs = await guest.run("tpm2_pcrs", "sha256");
  for (const index of firmwarePcrs) {
    assert.notEqual(told(pcrs, `tool.${index}`), zeroSha256, `nothing was measured into ${index}`);
    assert.equal(told(pcrs, `tool.${index}`), told(pcrs, `kernel.${index}`), `PCR ${index}`);
  }
  assert.equal(told(pcrs, "tool.16"), zeroSha256);

  await checkEventLog(machine);
  await checkExtend(machine);

  const rsa = await guest.run("tpm2_primary", "rsa2048");
  const ecc = await guest.run("tpm2_primary", "ecc");
  assert.match(told(rsa, "name"), /^000b[0-9a-f]{64}$/);
  assert.match(told(ecc, "name"), /^000b[0-9a-f]{64}$/);
  assert.notEqual(told(rsa, "name"), told(ecc, "name"));

  await assert.rejects(guest.run("tpm2_nv_read", nvIndex), /the handle is not correct/);
  await guest.run("tpm2_nv_write", nvIndex, nvContent);
  assert.equal(told(await guest.run("tpm2_nv_read", nvIndex), "content"), nvContent);

  await machine.powerOff();
  assert.ok(Deno.statSync(emulator.log).size > 0, "the log file has content");
  assert.equal(permissions(`${setup.state}/tpm2-00.permall`), "600", "mode of the state file");
  return told(ecc, "name");
}

async function secondBoot(setup: Setup, firstPrimary: string): Promise<void> {
  await using machine = await VirtualMachine.start(setup);
  const { guest } = machine;
  await guest.up();
  assert.equal(told(await guest.run("tpm2_nv_read", nvIndex), "content"), nvContent);
  assert.equal(told(await guest.run("tpm2_primary", "ecc"), "name"), firstPrimary);
  assert.equal(told(await guest.run("tpm2_pcrs", "sha256"), "tool.16"), zeroSha256);
  await machine.powerOff();
}

async function tisBoot(image: Image): Promise<void> {
  await using scratch = await Scratch.make();
  await using machine = await VirtualMachine.start({
    ...{ image, folder: scratch.folder, state: await scratch.stateFolder("tis"), name: "tis" },
    ...{ version: "2", device: "tpm-tis" },
  });
  await machine.guest.up();
  await checkEventLog(machine);
  await checkExtend(machine);
  await machine.powerOff();
}

async function resetInside(image: Image): Promise<void> {
  await using scratch = await Scratch.make();
  await using machine = await VirtualMachine.start({
    ...{ image, folder: scratch.folder, state: await scratch.stateFolder("reset"), name: "reset" },
    ...{ version: "2", device: "tpm-crb" },
  });
  const { guest } = machine;
  await guest.up();
  await guest.run("tpm2_nv_write", nvIndex, nvContent);
  await checkExtend(machine);
  const before = await guest.run("tpm2_clock");

  await guest.send("reboot");
  await guest.up();
  const after = await guest.run("tpm2_clock");
  assert.equal(Number(told(after, "resets")), Number(told(before, "resets")) + 1);
  assert.equal(told(await guest.run("tpm2_nv_read", nvIndex), "content"), nvContent);
  assert.equal(told(await guest.run("tpm2_pcrs", "sha256"), "tool.16"), zeroSha256);
  await checkEventLog(machine);
  await machine.powerOff();
}

/** Extends PCR 16, which the guest computes for itself as well. */
async function checkExtend({ guest }: VirtualMachine): Promise<void> {
  const pcr = await guest.run("tpm2_pcr_extend", "16", "measured");
  assert.equal(told(pcr, "before"), zeroSha256);
  assert.equal(told(pcr, "after").toLowerCase(), told(pcr, "expected"));
}

/** What the firmware says it measured must give the PCRs the TPM holds, in each bank. */
async function checkEventLog({ guest }: VirtualMachine): Promise<void> {
  const log = await guest.run("tpm2_event_log");
  assert.ok(Number(told(log, "events")) > firmwarePcrs.length, "an event for each PCR and more");
  for (const bank of ["sha1", "sha256"]) {
    for (const index of firmwarePcrs) {
      assertReplayed(log, `${bank}.${index}`);
    }
  }
  for (const key of log.keys()) if (key !== "events") assertReplayed(log, key);
}

function assertReplayed(log: Told, key: string): void {
  const [replayed = "", held = ""] = told(log, key).toLowerCase().split(" ");
  assert.match(replayed, /^[0-9a-f]{40,128}$/);
  assert.equal(held, replayed, `PCR ${key}: held by the TPM, replayed from the event log`);
}

function permissions(path: string): string {
  return ((Deno.statSync(path).mode ?? 0) & 0o777).toString(8);
}
