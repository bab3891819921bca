// A virtual machine moves with its TPM: through a migration stream, and through snapshots of a
// qcow2 image; each with and without a migration key. The source of truth is the guest: NV, PCRs
// and a key that is only loaded must be there after the move, on an emulator that began empty.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes, verify } from "node:crypto";
import { type Guest, told } from "./guest.ts";
import { inLanes } from "./lanes.ts";
import { provisionNv } from "./provision.ts";
import { fileContains } from "./search.ts";
import { type Image, prepareImage, Scratch, VirtualMachine } from "./virtual_machine.ts";

/** No guest reads this index before the move, so its content is in no guest's memory. */
const secretIndex = "0x1500020";
/** This one the guest writes itself. */
const plainIndex = "0x1500021";
const moveLimitMs = 60_000;

/** Parallel steps share nothing but the image; their child processes overlap in time. */
const parallel = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };

Deno.test("virtual machines move with their TPM", parallel, async (t) => {
  const image = await prepareImage();
  const step = (name: string, fn: () => Promise<void>) => async () => {
    await t.step({ name, fn, ...parallel });
  };
  await inLanes(2, [
    step("migration with a passphrase; a wrong one is refused", () => migrate(image, passphrase)),
    step("migration in the clear", () => migrate(image, undefined)),
    step("snapshots with a key", () => snapshot(image, hexKey)),
    step("snapshots in the clear", () => snapshot(image, undefined)),
  ]);
});

/** Writes key material into a folder and gives the argument of --migration-key for it. */
type KeyMaker = (folder: string, name: string) => Promise<string>;

async function passphrase(folder: string, name: string): Promise<string> {
  const path = `${folder}/${name}.passphrase`;
  await Deno.writeTextFile(path, randomBytes(12).toString("base64"));
  return `pwdfile=${path},mode=aes-256-cbc`;
}

async function hexKey(folder: string, name: string): Promise<string> {
  const path = `${folder}/${name}.key`;
  await Deno.writeTextFile(path, randomBytes(32).toString("hex"));
  return `file=${path},format=hex,mode=aes-256-cbc`;
}

async function migrate(image: Image, makeKey: KeyMaker | undefined): Promise<void> {
  await using scratch = await Scratch.make();
  const { folder } = scratch;
  const secret = randomBytes(32);
  const key = await keyOption(makeKey, folder, "right");
  const common = { image, folder, version: "2", device: "tpm-crb" } as const;
  const stream = `${folder}/stream`;

  const sourceState = await scratch.stateFolder("source");
  await provisionNv(folder, sourceState, secretIndex, secret);
  await using source = await VirtualMachine.start({
    ...{ ...common, ...key, state: sourceState, name: "source" },
  });
  await source.guest.up();
  const before = await TpmMemory.fill(source.guest);
  await source.qemu.qmp.execute("stop");
  await moveThrough(source, "migrate", `exec:cat > ${stream}`);
  await source.qemu.qmp.execute("quit");
  await source.ended();
  assert.equal(await fileContains(stream, secret), !makeKey, "the secret is seen in the stream");

  const incoming = {
    ...{ ...common, token: source.token, extra: ["-incoming", "defer"] },
  };
  if (makeKey) {
    await using stranger = await VirtualMachine.start({
      ...{ ...incoming, ...await keyOption(makeKey, folder, "wrong") },
      ...{ state: await emptyState(scratch, "stranger"), name: "stranger" },
    });
    await assert.rejects(moveThrough(stranger, "migrate-incoming", `exec:cat ${stream}`));
    assert.equal(await stranger.qemu.exitCode(), 1, stranger.qemu.evidence());
    assert.match(stranger.qemu.process.stderr, /stateblob \(type 1\) failed .* 0x21 /);
    assert.equal(await stranger.emulator.exitCode(), 0, stranger.emulator.evidence());
  }

  await using target = await VirtualMachine.start({
    ...{ ...incoming, ...key, state: await emptyState(scratch, "target"), name: "target" },
  });
  await moveThrough(target, "migrate-incoming", `exec:cat ${stream}`);
  await target.qemu.qmp.execute("cont");
  await before.check(target.guest);
  assert.equal(await readNv(target.guest, secretIndex), secret.toString("hex"));
  await before.checkWritable(target.guest);
  await target.powerOff();
}

/** Starts a migration out or in and waits for its end. */
async function moveThrough(
  { qemu: { qmp } }: VirtualMachine,
  command: "migrate" | "migrate-incoming",
  uri: string,
): Promise<void> {
  const capabilities = [{ capability: "events", state: true }];
  await qmp.execute("migrate-set-capabilities", { capabilities });
  await qmp.execute(command, { uri });
  const { status } = await qmp.event(
    "MIGRATION",
    moveLimitMs,
    (data) => data.status === "completed" || data.status === "failed",
  );
  assert.equal(status, "completed", `${command} ${uri}`);
}

async function snapshot(image: Image, makeKey: KeyMaker | undefined): Promise<void> {
  await using scratch = await Scratch.make();
  const { folder } = scratch;
  const secret = randomBytes(32);
  const key = await keyOption(makeKey, folder, "right");
  const common = { ...{ image, folder, version: "2", device: "tpm-crb" } as const, ...key };
  const disk = `${folder}/disk.qcow2`;
  const tag = "moved";

  const state = await scratch.stateFolder("kept");
  await provisionNv(folder, state, secretIndex, secret);
  await using machine = await VirtualMachine.start({ ...common, state, name: "snapshot" });
  const { guest, qemu: { qmp } } = machine;
  await guest.up();
  const before = await TpmMemory.fill(guest);
  await createDisk(machine, disk);
  await qmp.job("snapshot-save", { tag, vmstate: "disk", devices: ["disk"] }, moveLimitMs);
  assert.equal(await fileContains(disk, secret), !makeKey, "the secret is seen in the image");

  await before.overwrite(guest);
  await qmp.job("snapshot-load", { tag, vmstate: "disk", devices: ["disk"] }, moveLimitMs);
  await qmp.execute("cont");
  await before.check(guest);
  assert.equal(await readNv(guest, secretIndex), secret.toString("hex"));
  await qmp.execute("quit");
  await machine.ended();

  await using restored = await VirtualMachine.start({
    ...{ ...common, state: await emptyState(scratch, "restored"), name: "restored" },
    token: machine.token,
    extra: [
      ...["-blockdev", `driver=file,node-name=disk-file,filename=${disk}`],
      ...["-blockdev", "driver=qcow2,node-name=disk,file=disk-file"],
      ...["-loadvm", tag],
    ],
  });
  await before.check(restored.guest);
  assert.equal(await readNv(restored.guest, secretIndex), secret.toString("hex"));
  await before.checkWritable(restored.guest);
  await restored.powerOff();
}

/** A qcow2 image only for the machine's state; no device of the guest uses it. */
async function createDisk({ qemu: { qmp } }: VirtualMachine, path: string): Promise<void> {
  const file = { driver: "file", filename: path };
  await qmp.job("blockdev-create", { options: { ...file, size: 0 } }, moveLimitMs);
  await qmp.execute("blockdev-add", { ...file, "node-name": "disk-file" });
  const image = { driver: "qcow2", file: "disk-file" };
  await qmp.job("blockdev-create", { options: { ...image, size: 1 << 20 } }, moveLimitMs);
  await qmp.execute("blockdev-add", { ...image, "node-name": "disk" });
}

/** What a guest put into its TPM before the move, and how to see that it is still there. */
class TpmMemory {
  private constructor(
    readonly pcr: string,
    readonly resets: string,
    readonly publicKey: string,
  ) {}

  static readonly content = "01".repeat(16);

  /** Fills NV, PCR 16 and a transient slot. */
  static async fill(guest: Guest): Promise<TpmMemory> {
    await guest.run("tpm2_nv_write", plainIndex, TpmMemory.content);
    const pcr = await guest.run("tpm2_pcr_extend", "16", "before");
    const key = await guest.run("tpm2_transient_make");
    assert.equal(told(key, "handles"), "0x80000000 ");
    const pem = Buffer.from(told(key, "public"), "base64").toString();
    const clock = await guest.run("tpm2_clock");
    return new TpmMemory(told(pcr, "expected"), told(clock, "resets"), pem);
  }

  /** Changes NV and PCR 16, which check must then notice. */
  async overwrite(guest: Guest): Promise<void> {
    const other = "02".repeat(16);
    await guest.run("tpm2_nv_write", plainIndex, other, "existing");
    await guest.run("tpm2_pcr_extend", "16", "after");
    assert.equal(await readNv(guest, plainIndex), other);
    assert.notEqual(await readPcr(guest), this.pcr);
  }

  async check(guest: Guest): Promise<void> {
    assert.equal(await readNv(guest, plainIndex), TpmMemory.content);
    assert.equal(await readPcr(guest), this.pcr);
    assert.equal(told(await guest.run("tpm2_clock"), "resets"), this.resets);
    const message = randomBytes(8).toString("hex");
    const signed = await guest.run("tpm2_transient_sign", message);
    const signature = Buffer.from(told(signed, "signature"), "base64");
    const valid = verify("sha256", Buffer.from(message), this.publicKey, signature);
    assert.ok(valid, "signature by the key that was loaded before the move");
  }

  /** The TPM is not only there to be read. */
  async checkWritable(guest: Guest): Promise<void> {
    await this.overwrite(guest);
  }
}

async function readNv(guest: Guest, index: string): Promise<string> {
  return told(await guest.run("tpm2_nv_read", index), "content");
}

async function readPcr(guest: Guest): Promise<string> {
  return told(await guest.run("tpm2_pcrs", "sha256"), "tool.16").toLowerCase();
}

async function keyOption(
  makeKey: KeyMaker | undefined,
  folder: string,
  name: string,
): Promise<{ migrationKey?: string }> {
  return makeKey ? { migrationKey: await makeKey(folder, name) } : {};
}

async function emptyState(scratch: Scratch, name: string): Promise<string> {
  const path = await scratch.stateFolder(name);
  assert.deepEqual([...Deno.readDirSync(path)], []);
  return path;
}
