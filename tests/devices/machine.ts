// A QEMU without a TPM of its own, in which the tests make TPM devices; the guest's scripts are
// reached over a serial port, as in the other virtual machine tests.

import { randomBytes } from "node:crypto";
import { type Evidence, fileTail, within } from "../vm/deadline.ts";
import { Guest } from "../vm/guest.ts";
import { LineConnection } from "../vm/lines.ts";
import { Process } from "../vm/process.ts";
import type { DeviceImage } from "./image.ts";

const connectLimitMs = 20_000;
const exitLimitMs = 20_000;
/** The initramfs, with an executable of 100 MB in it, is there twice while it is unpacked. */
const memoryMiB = 1024;

/** A machine whose guest serves. */
export class DeviceMachine implements AsyncDisposable {
  private constructor(
    readonly guest: Guest,
    private readonly process: Process,
    private readonly evidence: Evidence,
    private readonly resources: AsyncDisposableStack,
  ) {}

  /** Boots the image and waits until its first process serves. */
  static async start(image: DeviceImage, name: string): Promise<DeviceMachine> {
    await using resources = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "swtpm-devices-" });
    resources.defer(() => Deno.remove(folder, { recursive: true }));
    const console = `${folder}/console`;
    const token = randomBytes(8).toString("hex");
    using door = Deno.listen({ transport: "unix", path: `${folder}/guest` });
    const process = resources.use(
      new Process(`qemu-${name}`, "qemu-system-x86_64", [
        // Software emulation: a /dev/kvm that opens says nothing, see virtual_machine.ts.
        ...["-machine", "q35,accel=tcg", "-m", String(memoryMiB)],
        ...["-nodefaults", "-no-user-config", "-display", "none"],
        ...["-kernel", image.kernel, "-initrd", image.initramfs],
        ...["-append", `console=ttyS0 quiet panic=-1 rdinit=/init guest_token=${token}`],
        ...["-chardev", `file,id=console,path=${console}`, "-serial", "chardev:console"],
        ...["-chardev", `socket,id=guest,path=${folder}/guest`, "-serial", "chardev:guest"],
      ]),
    );
    const evidence = () =>
      `--- ${process.name} on standard error\n${process.stderr}\n${fileTail(console, 60000)}`;
    const accepted = process.whileRunning(door.accept(), evidence);
    const line = resources.use(
      new LineConnection(await within(connectLimitMs, "QEMU's connection", accepted, evidence)),
    );
    const guest = new Guest(line, token, evidence);
    await guest.up();
    return new DeviceMachine(guest, process, evidence, resources.move());
  }

  /** Switches the guest off. */
  async powerOff(): Promise<void> {
    await this.guest.send("poweroff");
    const code = await this.process.exitCode(exitLimitMs, this.evidence);
    if (code !== 0) throw new Error(`QEMU ended with ${code}\n${this.evidence()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resources.disposeAsync();
  }
}
