// TPM devices that the kernel makes of our process through its vTPM proxy: its drivers, its sysfs
// and tpm2-tools use them as they use a TPM of silicon.

import assert from "node:assert/strict";
import {
  codeOf,
  exchange,
  extend12,
  extend2,
  getRandom2,
  pcrRead12,
  started12,
  startup12,
} from "./bytes.ts";
import type { Shell } from "./shell.ts";

/** TPM_RC_LOCALITY: the PCR does not take extends from there. */
const badLocality2 = 0x907;

/** Localities that PCRs take extends from, by the PC Client specification. */
const extendable: ReadonlyMap<number, readonly number[]> = new Map([
  [16, [0, 1, 2, 3, 4]],
  [17, [2, 3, 4]],
  [19, [2, 3]],
  [20, [1, 2, 3]],
  [21, [2]],
]);

/** A TPM 2 and all that hangs on it; a TPM 1.2 comes and goes beside it. */
export async function vtpmDevices(shell: Shell): Promise<void> {
  await shell.run(`
    mkdir /tmp/two
    background two swtpm chardev --vtpm-proxy --tpm2 --tpmstate dir=/tmp/two \\
      --ctrl type=unixio,path=/tmp/two/ctrl --log file=/tmp/two.log,level=2 --pid file=/tmp/two.pid
    within 50 test -c /dev/tpmrm0`);
  assert.equal(
    await shell.run("cat /tmp/two.out"),
    "New TPM device: /dev/tpm0 (major/minor = 10/224)",
  );
  assert.equal(await shell.run("cat /sys/class/tpm/tpm0/dev"), "10:224");
  assert.equal(await shell.run("cat /sys/class/tpm/tpm0/tpm_version_major"), "2");
  // We started the TPM up, and the kernel did not; it took locality 0 with the command that is meant
  // for us, not for the TPM.
  const commands = (await shell.run("cat /tmp/two.log")).matchAll(/^ 80 0[12] 00 00 00 0[BC].*$/gm);
  assert.deepEqual([...commands].map(([command]) => command.trim()).slice(0, 2), [
    "80 01 00 00 00 0C 00 00 01 44 00 00",
    "80 02 00 00 00 0B 20 00 10 00 00",
  ]);

  await useTools(shell);
  await useRaw(shell);
  await vtpmTpm12(shell, "tpm1");

  const control = "swtpm_ioctl --unix /tmp/two/ctrl";
  assert.equal(await shell.run(`${control} -c`), "ptm capability is 0x1ffff");
  await shell.run(`${control} -s; within 10 gone /dev/tpm0; gone /dev/tpmrm0`);
  assert.equal(await shell.run("ended two"), "0");
  assert.equal(await shell.run("gone /tmp/two.pid; ls -A /tmp/two"), ".lock\ntpm2-00.permall");
}

/** tpm2-tools by way of the kernel's resource manager. */
async function useTools(shell: Shell): Promise<void> {
  const tools = "export TPM2TOOLS_TCTI=device:/dev/tpmrm0";
  assert.match(await shell.run(`${tools}; tpm2 getrandom --hex 16`), /^[0-9a-f]{32}$/);
  assert.match(await shell.run(`${tools}; tpm2 pcrread sha256:0,16`), /16: 0x0{64}/);
  await shell.run(`
    ${tools}
    mkdir /tmp/tools && cd /tmp/tools
    echo measured >data
    tpm2 pcrextend 16:sha256=$(sha256sum <data | cut -c 1-64)
    tpm2 createprimary -Q -c primary
    tpm2 create -Q -C primary -G ecc -u public -r private
    tpm2 load -Q -C primary -u public -r private -c key
    tpm2 sign -Q -c key -o signature data
    tpm2 verifysignature -Q -c key -s signature -m data`);
  assert.doesNotMatch(await shell.run(`${tools}; tpm2 pcrread sha256:16`), /16: 0x0{64}/);
}

/** Commands of our own on /dev/tpm0, from each locality. */
async function useRaw(shell: Shell): Promise<void> {
  const random = await shell.run(exchange("/dev/tpm0", getRandom2));
  assert.match(random, /^800100000014000000000008[0-9a-f]{16}$/);
  for (const locality of [1, 2, 3, 4, 0]) {
    const commands = [...extendable.keys()].map((pcr) => exchange("/dev/tpm0", extend2(pcr)));
    const responses = await shell.run(
      `swtpm_ioctl --unix /tmp/two/ctrl -l ${locality}\n${commands.join("; echo\n")}`,
    );
    const codes = responses.split("\n").map(codeOf);
    const expected = [...extendable.values()].map((takes) =>
      takes.includes(locality) ? 0 : badLocality2
    );
    assert.deepEqual(codes, expected, `extends from locality ${locality}`);
  }
}

/** A TPM 1.2, ended by a signal. */
async function vtpmTpm12(shell: Shell, name: string): Promise<void> {
  const sysfs = `/sys/class/tpm/${name}`;
  await shell.run(`
    mkdir /tmp/one
    background one swtpm chardev --vtpm-proxy --tpmstate dir=/tmp/one \\
      --log file=/tmp/one.log,level=2
    within 50 test -e ${sysfs}/pcrs`);
  const line = /^New TPM device: \/dev\/(\w+) \(major\/minor = (\d+)\/(\d+)\)$/;
  const [, device, major, minor] = line.exec(await shell.run("cat /tmp/one.out")) ?? [];
  assert.equal(device, name);
  assert.equal(await shell.run(`cat ${sysfs}/dev`), `${major}:${minor}`);
  assert.equal(await shell.run(`cat ${sysfs}/tpm_version_major`), "1");
  assert.match(await shell.run(`cat ${sysfs}/caps`), /TCG version: 1\.2/);
  assert.match(await shell.run(`cat ${sysfs}/pcrs`), /^PCR-17:( FF){20} $/m);
  assert.match(await shell.run("cat /tmp/one.log"), /^ 00 C1 00 00 00 0B 20 00 10 00 00 $/m);
  const path = `/dev/${name}`;
  const zero = await shell.run(exchange(path, pcrRead12(16)));
  assert.equal(zero, `00c40000001e00000000${"00".repeat(20)}`);
  const extended = await shell.run(exchange(path, extend12(16)));
  assert.equal(await shell.run(exchange(path, pcrRead12(16))), extended);
  assert.notEqual(extended, zero);
  await shell.run(`kill -TERM $(cat /tmp/one.pid); within 10 gone ${path}`);
  assert.equal(await shell.run("ended one"), "0");
}

/** Devices that others opened: descriptors that are passed, and terminals. */
export async function passedDevices(shell: Shell): Promise<void> {
  const user = "python3 -I -S /guest/device.py";
  // The kernel finds a TPM that is on but not started up, and sees to that itself.
  await shell.run(`
    mkdir /tmp/passed
    background passed ${user} passed --tpmstate dir=/tmp/passed --flags not-need-init \\
      --locality allow-set-locality --log file=/tmp/passed.log,level=2
    within 50 test -e /sys/class/tpm/tpm0/pcrs`);
  assert.equal(await shell.run("cat /tmp/passed.out"), "/dev/tpm0");
  assert.match(await shell.run("cat /tmp/passed.log"), /^ 00 C1 00 00 00 0C 00 00 00 99 00 01 $/m);
  assert.equal(await shell.run(exchange("/dev/tpm0", startup12)), started12);
  // A shell has what it starts in the background ignore SIGINT.
  await shell.run("kill -TERM $(cat /tmp/passed.pid); within 10 gone /dev/tpm0");
  assert.equal(await shell.run("ended passed"), "0");

  // A TPM that does not let the kernel choose its locality is not wanted: the kernel hangs up.
  await shell.run(`
    mkdir /tmp/unwanted
    background unwanted ${user} passed --tpm2 --tpmstate dir=/tmp/unwanted --flags startup-clear`);
  assert.equal(await shell.run("ended unwanted"), "0");
  assert.match(await shell.run("cat /tmp/unwanted.err"), /The data client disconnected/);

  assert.match(
    await shell.run(`
      mkdir /tmp/terminal /dev/pts
      mount -t devpts devpts /dev/pts
      ${user} terminal --tpmstate dir=/tmp/terminal --flags startup-clear`),
    /^code 0 size 20\nstatus 0$/,
  );
}
