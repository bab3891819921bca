// The Debian package in place of swtpm and swtpm-tools: installed over Debian's own, with libvirt, whose
// machine has a TPM by it, made, started and ended as its user.

import assert from "node:assert/strict";
import { debianPackage } from "../../scripts/release/debian.ts";
import { DOMAIN, Libvirt } from "../daemon/libvirt.ts";
import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

Deno.test("Debian: libvirt has its TPMs by the package", async () => {
  await using folder = new TempDir("swtpm-deb-test-");
  const name = await debianPackage({
    arch: Deno.build.arch === "x86_64" ? "x64" : "arm64",
    executable: programUnderTest().command,
    hasLibtpms: true,
    licences: "of a test\n",
    time: new Date(0),
    to: folder.path,
  });
  await using libvirt = await Libvirt.start("package", folder.join(name));
  const state = (of: string) => libvirt.must("dpkg-query", "-W", "-f=${db:Status-Status}", of);
  assert.equal(await state("swtpm-ts"), "installed");
  for (const replaced of ["swtpm", "swtpm-tools"]) {
    assert.notEqual(await state(replaced), "installed");
  }
  assert.equal(await libvirt.must("dpkg", "--verify", "swtpm-ts"), "");
  assert.equal(await libvirt.must("dpkg", "--audit"), "");
  assert.equal(await libvirt.must("readlink", "/usr/bin/swtpm_setup"), "swtpm");
  assert.match(await libvirt.must("man", "-w", "swtpm_setup"), /^\/usr\/share\/man\/man8\/.*\.gz$/);

  const description = libvirt.folder.join("machine.xml");
  await Deno.writeTextFile(description, DOMAIN);
  await libvirt.virsh("define", description);
  await libvirt.virsh("start", "machine");
  assert.equal(await libvirt.virsh("domstate", "machine"), "running");
  const emulator = await libvirt.emulator();
  const exe = `/proc/${emulator.pid}/exe`;
  assert.equal(await libvirt.must("readlink", exe), "/usr/bin/swtpm");
  assert.equal(await libvirt.must("stat", "-c", "%U", `/proc/${emulator.pid}`), "tss");
  await libvirt.virsh("destroy", "machine");
  await emulator.ended();
  await libvirt.virsh("undefine", "machine");
  await libvirt.must("dpkg", "--remove", "swtpm-ts");
});
