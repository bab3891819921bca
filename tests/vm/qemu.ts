// One QEMU: a PC with a TPM device, two serial ports and a monitor. It dials out to sockets of
// ours for the second port (guest.ts) and the monitor (qmp.ts), so nothing is polled; the first
// port, with the kernel's messages, goes to a file that failures quote.

import { type Evidence, fileTail, within } from "./deadline.ts";
import { Guest } from "./guest.ts";
import { LineConnection } from "./lines.ts";
import { Process } from "./process.ts";
import { Qmp } from "./qmp.ts";

const connectLimitMs = 20_000;
const exitLimitMs = 20_000;
/** Enough for the initramfs twice (archive and unpacked) and the tools. */
const memoryMiB = 192;

/** How QEMU runs the guest's instructions. */
export type Accelerator = "tcg" | "kvm";
/** The TPM's interface to the guest. */
export type TpmDevice = "tpm-crb" | "tpm-tis";

/** What a machine consists of; a migration's target must say the same as its source. */
export interface Machine {
  readonly accelerator: Accelerator;
  readonly kernel: string;
  readonly initramfs: string;
  readonly device: TpmDevice;
}

/** What differs from one QEMU to the next. */
export interface QemuOptions {
  readonly machine: Machine;
  /** The emulator's control socket. */
  readonly tpmSocket: string;
  /** What the emulator has to say when a wait on this QEMU fails. */
  readonly tpmEvidence: Evidence;
  /** Where sockets and the console's file go. */
  readonly folder: string;
  /** Told apart in file names and messages. */
  readonly name: string;
  /** Begins each line of the guest; a migration's target goes on with its source's. */
  readonly token: string;
  /** More arguments, such as -incoming or a disk for snapshots. */
  readonly extra?: readonly string[];
}

/** A running QEMU with its monitor and its guest's line connected. */
export class Qemu implements AsyncDisposable {
  private constructor(
    readonly process: Process,
    readonly qmp: Qmp,
    readonly guest: Guest,
    readonly evidence: Evidence,
    readonly resources: AsyncDisposableStack,
  ) {}

  /** Starts QEMU; the guest begins to boot unless `extra` says otherwise. */
  static async start(options: QemuOptions): Promise<Qemu> {
    const base = `${options.folder}/qemu-${options.name}`;
    await using resources = new AsyncDisposableStack();
    using guestDoor = Deno.listen({ transport: "unix", path: `${base}.guest` });
    using monitorDoor = Deno.listen({ transport: "unix", path: `${base}.monitor` });

    const args = [...machineArguments(options), ...portArguments(base), ...options.extra ?? []];
    const process = resources.use(new Process(`qemu-${options.name}`, program, args));
    const evidence = () =>
      [
        `--- ${process.name} on standard error\n${process.stderr}`,
        fileTail(consolePath(base)),
        options.tpmEvidence(),
      ].join("\n");
    const accept = async (door: Deno.UnixListener, port: string) => {
      const accepted = process.whileRunning(door.accept(), evidence);
      const conn = await within(connectLimitMs, `QEMU's ${port} connection`, accepted, evidence);
      return resources.use(new LineConnection(conn));
    };
    const guest = new Guest(await accept(guestDoor, "guest"), options.token, evidence);
    const qmp = await Qmp.connect(await accept(monitorDoor, "monitor"), evidence);
    return new Qemu(process, qmp, guest, evidence, resources.move());
  }

  /** Waits until QEMU has ended by itself; gives its exit code. */
  async exitCode(): Promise<number> {
    return await this.process.exitCode(exitLimitMs, this.evidence);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resources.disposeAsync();
  }
}

const program = "qemu-system-x86_64";

function consolePath(base: string): string {
  return `${base}.console`;
}

function machineArguments({ machine, tpmSocket, token }: QemuOptions): string[] {
  return [
    ...["-machine", `q35,accel=${machine.accelerator}`, "-m", String(memoryMiB)],
    ...["-nodefaults", "-no-user-config", "-display", "none"],
    ...["-kernel", machine.kernel, "-initrd", machine.initramfs],
    ...["-append", `console=ttyS0 quiet panic=-1 rdinit=/init guest_token=${token}`],
    // As libvirt writes them.
    ...["-chardev", `socket,id=chrtpm,path=${tpmSocket}`],
    ...["-tpmdev", "emulator,id=tpm-tpm0,chardev=chrtpm"],
    ...["-device", `${machine.device},tpmdev=tpm-tpm0,id=tpm0`],
  ];
}

function portArguments(base: string): string[] {
  return [
    ...["-chardev", `file,id=console,path=${consolePath(base)}`, "-serial", "chardev:console"],
    ...["-chardev", `socket,id=guest,path=${base}.guest`, "-serial", "chardev:guest"],
    ...["-chardev", `socket,id=monitor,path=${base}.monitor`],
    ...["-mon", "chardev=monitor,mode=control"],
  ];
}
