// libvirt itself, from Debian's packages, in a mount namespace with folders of its own, so that nothing
// of this machine's is touched. Leaves its machines to the tests. Needs root.

import assert from "node:assert/strict";
import { run, TestProcess } from "../support/process.ts";
import { checkoutPath, plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { waitUntil } from "../support/wait.ts";
import { OtherProcess, readIfThere } from "./process_status.ts";

/** Making a TPM's keys and certificates is the longest part. */
const STEP_MS = 120_000;

/** A machine with a TPM 2. */
export const DOMAIN = `<domain type='qemu'>
  <name>machine</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
  </devices>
</domain>`;

/** A libvirtd in a mount namespace of its own. */
export class Libvirt implements AsyncDisposable {
  private constructor(readonly daemon: TestProcess, readonly folder: TempDir) {}

  /**
   * `alone`: there is no other swtpm, and no tools but ours; `plain`: there are the machine's, and an
   * empty /usr/local/bin before them; `package`: there is what the Debian package brings.
   */
  static async start(room?: "alone" | "plain" | "package", deb?: string): Promise<Libvirt> {
    const folder = new TempDir();
    const bin = folder.join("bin");
    Deno.mkdirSync(bin);
    Deno.symlinkSync(programUnderTest().command, `${bin}/swtpm`);
    if (deb !== undefined) Deno.symlinkSync(deb, `${bin}/swtpm.deb`);
    // libvirt gives an emulator one second, whatever else this machine is busy with.
    const daemon = new TestProcess(plainProgram("libvirtd", "/usr/bin/nice"), [
      ...["-n", "-15", "/usr/bin/unshare", "--mount"],
      ...["/bin/sh", checkoutPath("tests", "daemon", "libvirt_room.sh"), folder.path, bin],
      ...(room === undefined ? [] : [room]),
    ]);
    const libvirt = new Libvirt(daemon, folder);
    try {
      await waitUntil("libvirtd to listen", async () => {
        if (!daemon.running) throw new Error(`libvirtd ended: ${daemon.stderr}${libvirt.log()}`);
        return (await libvirt.inside("test", "-S", "/run/libvirt/libvirt-sock")).code === 0 &&
          (await libvirt.inside("virsh", "-c", "qemu:///system", "version")).code === 0;
      }, STEP_MS);
      return libvirt;
    } catch (error) {
      await libvirt[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a program in libvirtd's namespace. */
  inside(...words: string[]) {
    const nsenter = plainProgram("nsenter", "/usr/bin/nsenter");
    return run(nsenter, ["-t", String(this.daemon.pid), "-m", ...words], { timeoutMs: STEP_MS });
  }

  /** The same of one that must succeed. */
  async must(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.inside(...words);
    assert.equal(code, 0, `${words.join(" ")}: ${stderr}\n${this.log()}`);
    return stdout.trim();
  }

  async virsh(...words: string[]): Promise<string> {
    return await this.must("virsh", "-c", "qemu:///system", ...words);
  }

  /** The emulator that libvirt started, by the file that libvirt keeps. */
  async emulator(): Promise<OtherProcess> {
    const { stdout } = await this.inside("sh", "-c", "cat /run/libvirt/qemu/swtpm/*-swtpm.pid");
    return new OtherProcess(Number(stdout));
  }

  /** What libvirtd said of swtpm, its errors, and what the programs told of the machine's TPM. */
  log(): string {
    const told = readIfThere(this.folder.join("libvirtd.log")).split("\n")
      .filter((line) => / error :|swtpm/.test(line)).slice(-20).join("\n");
    const root = `/proc/${this.daemon.pid}/root`;
    return `${told}\n${readIfThere(`${root}/var/log/swtpm/libvirt/qemu/machine-swtpm.log`)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.daemon.running) {
      await this.inside("virsh", "-c", "qemu:///system", "destroy", "machine");
      this.daemon.kill("SIGTERM");
    }
    await this.daemon.ended(STEP_MS);
    await this.folder[Symbol.asyncDispose]();
  }
}
