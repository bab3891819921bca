// libvirt itself, from Debian's packages, starts, saves, restores and stops a machine with a TPM by
// our executable. The state is made by the C program's swtpm_setup, which starts ours, too, or by our
// own on a machine that has nothing of the C program. Needs root.

import assert from "node:assert/strict";
import { run, TestProcess } from "../support/process.ts";
import { checkoutPath, plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { waitUntil } from "../support/wait.ts";
import { OtherProcess, readIfThere } from "./process_status.ts";

/** Making a TPM's keys and certificates is the longest part. */
const STEP_MS = 120_000;

const DOMAIN = `<domain type='qemu'>
  <name>machine</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
  </devices>
</domain>`;

/** A libvirtd in a mount namespace of its own. */
class Libvirt implements AsyncDisposable {
  private constructor(readonly daemon: TestProcess, readonly folder: TempDir) {}

  /** `alone`: there is no other swtpm, and no tools but ours. */
  static async start({ alone = false } = {}): Promise<Libvirt> {
    const folder = new TempDir();
    const bin = folder.join("bin");
    Deno.mkdirSync(bin);
    Deno.symlinkSync(programUnderTest().command, `${bin}/swtpm`);
    // libvirt gives an emulator one second, whatever else this machine is busy with.
    const daemon = new TestProcess(plainProgram("libvirtd", "/usr/bin/nice"), [
      ...["-n", "-15", "/usr/bin/unshare", "--mount"],
      ...["/bin/sh", checkoutPath("tests", "daemon", "libvirt_room.sh"), folder.path, bin],
      ...(alone ? ["alone"] : []),
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

Deno.test("libvirt starts, saves, restores and stops a machine with our TPM", async () => {
  await using libvirt = await Libvirt.start();
  const description = libvirt.folder.join("machine.xml");
  await Deno.writeTextFile(description, DOMAIN);
  await libvirt.virsh("define", description);

  await libvirt.virsh("start", "machine");
  const first = await libvirt.emulator();
  assert.equal(Deno.readLinkSync(`/proc/${first.pid}/exe`), programUnderTest().command);
  assert.equal(await libvirt.virsh("domstate", "machine"), "running");
  assert.match(
    await libvirt.virsh("qemu-monitor-command", "machine", "--hmp", "info tpm"),
    /model=tpm-crb\s+\\ tpm-tpm0: type=emulator/,
  );

  const saved = libvirt.folder.join("saved");
  await libvirt.virsh("save", "machine", saved);
  await first.ended();
  assert.equal(await libvirt.virsh("domstate", "machine"), "shut off");

  await libvirt.virsh("restore", saved);
  const second = await libvirt.emulator();
  assert.notEqual(second.pid, first.pid);
  assert.equal(await libvirt.virsh("domstate", "machine"), "running");

  await libvirt.virsh("destroy", "machine");
  await second.ended();
  const { stdout } = await libvirt.inside("ls", "-A", "/run/libvirt/qemu/swtpm");
  assert.equal(stdout, "", "socket and pid file are gone");
  await libvirt.virsh("undefine", "machine");
});

Deno.test("libvirt has TPMs made by our tools where there are no others", async () => {
  await using libvirt = await Libvirt.start({ alone: true });
  const description = libvirt.folder.join("machine.xml");
  await Deno.writeTextFile(description, DOMAIN);
  assert.match(await libvirt.virsh("domcapabilities"), /<value>emulator<\/value>/);
  await libvirt.virsh("define", description);
  await libvirt.virsh("start", "machine");
  const first = await libvirt.emulator();
  const uuid = await libvirt.virsh("domuuid", "machine");
  const saved = libvirt.folder.join("saved");
  await libvirt.virsh("save", "machine", saved);
  await first.ended();
  await libvirt.virsh("restore", saved);
  const second = await libvirt.emulator();
  assert.equal(await libvirt.virsh("domstate", "machine"), "running");
  await libvirt.virsh("destroy", "machine");
  await second.ended();

  const state = `/var/lib/libvirt/swtpm/${uuid}/tpm2`;
  const at = (name: string) => libvirt.folder.join(name);
  await libvirt.must(
    ...["swtpm", "run", "--tpmstate", `dir=${state}`, "--", "sh", "-ec"],
    `tpm2_nvread -C o -o ${at("ek.der")} 0x1c00002
     tpm2_nvread -C o -o ${at("platform.der")} 0x1c08000
     tpm2_readpublic -Q -c 0x81010001 -f pem -o ${at("ek.pub")}`,
  );
  const openssl = (words: string) => libvirt.must("openssl", ...words.split(" "));
  const ek = `x509 -inform der -in ${at("ek.der")} -noout`;
  assert.equal(await openssl(`${ek} -subject`), `subject=CN = machine:${uuid}`);
  assert.equal(await openssl(`${ek} -pubkey`), Deno.readTextFileSync(at("ek.pub")).trim());
  const authority = "/var/lib/swtpm/.local/state/swtpm-localca";
  for (const name of ["ek", "platform"]) {
    await openssl(`x509 -inform der -in ${at(`${name}.der`)} -out ${at("one.pem")}`);
    await openssl(
      `verify -x509_strict -CAfile ${authority}/swtpm-localca-rootca-cert.pem ` +
        `-untrusted ${authority}/issuercert.pem ${at("one.pem")}`,
    );
  }
  await libvirt.virsh("undefine", "machine");
  assert.equal((await libvirt.inside("test", "-e", state)).code, 1, "the state is gone");
});
