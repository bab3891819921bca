// libvirt itself, from Debian's packages, starts, saves, restores and stops a machine with a TPM by
// our executable. The state is made by the C program's swtpm_setup, which starts ours, too, or by our
// own on a machine that has nothing of the C program. Needs root.

import assert from "node:assert/strict";
import { programUnderTest } from "../support/programs.ts";
import { DOMAIN, Libvirt } from "./libvirt.ts";

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
  await using libvirt = await Libvirt.start("alone");
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
