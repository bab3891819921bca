// Our own swtpm_ioctl and swtpm_bios on a device: what the C project's swtpm_ioctl says and does there,
// states by ioctls and by reads and writes included.

import assert from "node:assert/strict";
import { exchange, extend2, pcrRead2 } from "./bytes.ts";
import type { Shell } from "./shell.ts";

/** Commands whose output is the same from both, in an order that the TPM allows. */
const ALIKE = [
  "-c",
  "-g",
  "-b 0",
  "--info 1",
  "--info 0x18",
  "-e",
  "-l 3",
  "-l 0",
  `-h ${"measured".repeat(700)}`,
  "-e",
  "-r 3",
  "-e",
  "-C",
  "-v",
  "--lock-storage 1",
];

export async function cuseTools(shell: Shell): Promise<void> {
  const device = "/dev/vtpm-tools";
  const links = "/tmp/links";
  await shell.run(`mkdir ${links}; swtpm install-tools ${links}
    swtpm cuse -n vtpm-tools --tpm2 --tpmstate dir=/tmp/c3 --pid file=/tmp/c3.pid`);
  const ours = `${links}/swtpm_ioctl`;
  await shell.refused(`${ours} -e ${device}`, /^TPM result from PTM_GET_TPMESTABLISHED: 0xa$/m);
  await shell.run(`${ours} -i ${device}
    ${links}/swtpm_bios --tpm2 -cs --tpm-device ${device}`);
  for (const words of ALIKE) {
    const [own, c] = [
      await shell.run(`${ours} ${words} ${device}`),
      await shell.run(`swtpm_ioctl ${words} --tpm-device ${device}`),
    ];
    assert.equal(own, c, words.slice(0, 20));
  }
  await shell.refused(`${links}/swtpm_ioctl -r 2 ${device}`, /0x3d$/m);
  await shell.run(`echo -n piped | ${ours} -h - ${device}`);

  // A state that takes more than one piece.
  await shell.run(`
    export TPM2TOOLS_TCTI=device:${device}
    tpm2 nvdefine -Q -C o -s 2048 0x1500016
    head -c 2048 /dev/urandom | tpm2 nvwrite -Q -C o -i - 0x1500016`);
  await shell.run(exchange(device, extend2(16)));
  const pcr = await shell.run(exchange(device, pcrRead2(16)));
  await shell.run(`
    swtpm_ioctl --save permanent /tmp/permanent.c ${device}
    ${ours} --save permanent /tmp/permanent ${device}
    test $(wc -c </tmp/permanent) -gt 3072
    cmp /tmp/permanent /tmp/permanent.c
    SWTPM_IOCTL_BUFFERSIZE=100 ${ours} --save permanent /tmp/permanent.read ${device}
    cmp /tmp/permanent /tmp/permanent.read
    ${ours} --save volatile /tmp/volatile.ours ${device}
    ${ours} --save savestate /tmp/savestate.ours ${device}
    test -f /tmp/savestate.ours && ! test -s /tmp/savestate.ours`);
  for (const size of ["", "SWTPM_IOCTL_BUFFERSIZE=100"]) {
    await shell.run(exchange(device, extend2(16)));
    await shell.run(`
      ${ours} --stop ${device}
      ${size} ${ours} --load permanent /tmp/permanent ${device}
      ${size} ${ours} --load volatile /tmp/volatile.ours ${device}
      ${ours} -i ${device}`);
    assert.equal(await shell.run(exchange(device, pcrRead2(16))), pcr, `loaded with "${size}"`);
  }
  // Exactly one piece is no whole state, and is refused as what it is.
  await shell.run(`${ours} --stop ${device}; head -c 3072 /dev/zero >/tmp/bad.ours`);
  await shell.refused(
    `${ours} --load permanent /tmp/bad.ours ${device}`,
    /^TPM result from PTM_SET_STATEBLOB: 0x[1-9a-f]+$/m,
  );
  const pid = await shell.run("cat /tmp/c3.pid");
  await shell.run(`${ours} -s ${device}
    within 10 gone ${device}; within 10 gone /proc/${pid}`);
}
