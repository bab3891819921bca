// What a user is told where a device cannot be made: the module, the node, the permission or the
// name is missing, and what there is to do about it.

import type { Shell } from "./shell.ts";

const vtpm = "swtpm chardev --vtpm-proxy --tpm2 --tpmstate dir=/tmp/refused";
const cuse = "swtpm cuse --tpm2 --tpmstate dir=/tmp/refused";
const nobody = "/usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups";

/** Before the modules are loaded. */
export async function withoutModules(shell: Shell): Promise<void> {
  await shell.refused(vtpm, /'\/dev\/vtpmx': there is no such device; .*'modprobe tpm_vtpm_proxy'/);
  await shell.refused(`${cuse} -n no`, /'\/dev\/cuse': there is no such device; .*'modprobe cuse'/);
  // Nothing is left of a TPM that could not be reached.
  await shell.run("gone /tmp/refused");
}

/** With the modules, but not as it should be. */
export async function withoutRights(shell: Shell): Promise<void> {
  const make = /'mknod \/dev\/vtpmx c 10 \d+'/;
  const { stderr } = await shell.ran(`mv /dev/vtpmx /tmp/vtpmx; ${vtpm}`);
  const hint = make.exec(stderr)?.[0].slice(1, -1);
  if (hint === undefined) throw new Error(`no hint at mknod, but "${stderr}"`);
  // The hint, followed to the letter, makes a node that works; it is only root's to use.
  await shell.run(`umask 077; ${hint}`);
  await shell.refused(
    `${nobody} ${vtpm}`,
    /'\/dev\/vtpmx': Permission denied; start as root.*is mode 0600, owner root.*we are nobody/,
  );
  await shell.run("chmod 666 /dev/vtpmx");
  await shell.refused(`${nobody} ${vtpm}`, /EPERM\); only root \(CAP_SYS_ADMIN\)/);
  await shell.refused(`${nobody} ${cuse} -n no`, /Only root can make a CUSE device/, 252);
  await shell.refused(
    `mv /dev/cuse /tmp/cuse; ${cuse} -n no`,
    /'\/dev\/cuse': the device node is missing; make it with 'mknod \/dev\/cuse c 10 203'/,
  );
  await shell.run("mv /tmp/cuse /dev/cuse");
  // Whom the kernel refuses: a number that another device has. Who started us learns all of it
  // [cuse-start], a pid file that cannot be written, too.
  await shell.refused(
    `mkdir /tmp/refused; ${cuse} -n no -M 10 -m 203`,
    /'\/dev\/no': the kernel refused it: the name 'no' or its number 10:203 may be taken/,
  );
  await shell.refused(`${cuse} -n no --pid file=/nowhere/pid`, /'\/nowhere\/pid'/, 243);
  await shell.run("gone /dev/no");
}
