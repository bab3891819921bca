// An emulator and a QEMU put together, and the image all guests boot: what a scenario starts with.
// What a scenario does with them stands in the tests.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Emulator, type TpmVersion } from "./emulator.ts";
import { buildInitramfs, type GuestFile } from "./initramfs.ts";
import { findKernel } from "./kernel.ts";
import { type Machine, Qemu, type TpmDevice } from "./qemu.ts";

/** What all guests of a run share. */
export type Image = Omit<Machine, "device">;

/** A machine with its TPM; disposing of it ends both. */
export class VirtualMachine implements AsyncDisposable {
  private constructor(
    readonly emulator: Emulator,
    readonly qemu: Qemu,
    readonly token: string,
    readonly resources: AsyncDisposableStack,
  ) {}

  /** Starts the emulator, then QEMU. */
  static async start(options: {
    readonly image: Image;
    readonly device: TpmDevice;
    readonly version: TpmVersion;
    readonly folder: string;
    readonly state: string;
    readonly name: string;
    readonly migrationKey?: string;
    readonly pcap?: string;
    readonly token?: string;
    readonly extra?: readonly string[];
  }): Promise<VirtualMachine> {
    const { image, device, token = randomBytes(8).toString("hex") } = options;
    await using resources = new AsyncDisposableStack();
    const emulator = resources.use(await Emulator.start(options));
    const machine = { ...image, device };
    const tpm = { tpmSocket: emulator.socket, tpmEvidence: emulator.evidence };
    const qemu = resources.use(await Qemu.start({ ...options, ...tpm, machine, token }));
    return new VirtualMachine(emulator, qemu, token, resources.move());
  }

  get guest(): Qemu["guest"] {
    return this.qemu.guest;
  }

  /** Switches the guest off by itself: QEMU and the emulator must both end, with exit code 0. */
  async powerOff(): Promise<void> {
    await this.guest.send("poweroff");
    await this.ended();
  }

  /** Waits until QEMU and the emulator have ended; both exit codes must be 0. */
  async ended(): Promise<void> {
    const codes = { qemu: await this.qemu.exitCode(), emulator: await this.emulator.exitCode() };
    const what = `exit codes ${JSON.stringify(codes)}\n${this.qemu.evidence()}`;
    assert.deepEqual(codes, { qemu: 0, emulator: 0 }, what);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resources.disposeAsync();
  }
}

/** A folder for one scenario, with one for the TPM's state in it; removed with its content. */
export class Scratch implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  static async make(): Promise<Scratch> {
    return new Scratch(await Deno.makeTempDir({ prefix: "swtpm-vm-" }));
  }

  /** A new, empty folder for a TPM's state. */
  async stateFolder(name: string): Promise<string> {
    const path = `${this.folder}/state-${name}`;
    await Deno.mkdir(path, { mode: 0o700 });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Gets the kernel and the guest's file system ready, and settles how QEMU will run them. */
export async function prepareImage(): Promise<Image> {
  const cache = new URL("../../.cache/vm", import.meta.url).pathname;
  const [kernel, initramfs] = await Promise.all([
    findKernel(cache),
    buildInitramfs(cache, {
      name: "tpm-tools",
      programs: ["/bin/busybox", "/usr/bin/tpm2"],
      libraries: ["libtss2-tcti-device.so.0"],
      files: guestScripts(),
    }),
  ]);
  return await withAccelerator({ kernel: kernel.image, initramfs });
}

/** The scripts of guest/; init.sh becomes the first process. */
export function guestScripts(): GuestFile[] {
  const folder = new URL("guest/", import.meta.url).pathname;
  return [...Deno.readDirSync(folder)].map(({ name }) => ({
    from: folder + name,
    to: name === "init.sh" ? "/init" : `/guest/${name}`,
    executable: name === "init.sh",
  }));
}

/** A real KVM reaches the guest's init within a second or two. */
const kvmLimitMs = 8_000;

/**
 * KVM where it is seen to boot this very image, software emulation otherwise. That /dev/kvm opens
 * and makes a machine says nothing: a host without vmx or svm may interpret the guest's kernel
 * instruction by instruction, and minutes later it has not reached init.
 */
async function withAccelerator(files: Omit<Image, "accelerator">): Promise<Image> {
  const software: Image = { ...files, accelerator: "tcg" };
  const flags = /^flags\s*:(.*)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1] ?? "";
  if (!/ (vmx|svm)( |$)/.test(flags)) return software;
  const hardware: Image = { ...files, accelerator: "kvm" };
  return await boots(hardware) ? hardware : software;
}

async function boots(image: Image): Promise<boolean> {
  await using scratch = await Scratch.make();
  try {
    await using machine = await VirtualMachine.start({
      image,
      device: "tpm-crb",
      version: "2",
      folder: scratch.folder,
      state: await scratch.stateFolder("probe"),
      name: "probe",
    });
    await machine.guest.up(kvmLimitMs);
    await machine.powerOff();
    return true;
  } catch {
    return false;
  }
}
