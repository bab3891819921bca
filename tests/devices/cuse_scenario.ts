// TPM devices of our own making, /dev/NAME over CUSE: the C project's swtpm_ioctl gives every
// control command there is, tpm2-tools and plain reads and writes use the TPM.

import assert from "node:assert/strict";
import {
  codeOf,
  exchange,
  extend12,
  extend2,
  getRandom2,
  octal,
  off2,
  pcrRead12,
  pcrRead2,
  started12,
  startup12,
  startup2,
  success2,
} from "./bytes.ts";
import type { Shell } from "./shell.ts";

/** TPM_BAD_LOCALITY */
const badLocality12 = 0x3d;

const user = "python3 -I -S /guest/device.py";

/** A TPM 2: off, on, used, stopped; its states handed out and taken back; every control command. */
export async function cuseTpm2(shell: Shell): Promise<void> {
  const device = "/dev/vtpm2";
  const trace = "/tmp/c2.trace";
  await shell.run(
    `swtpm cuse -n vtpm2 --tpm2 --tpmstate dir=/tmp/c2 --pid file=/tmp/c2.pid --trace ${trace}`,
  );

  // Off: the control commands that are for that, and the TPM's own word.
  assert.equal(await shell.run(`swtpm_ioctl -c ${device}`), "ptm capability is 0x16fff");
  assert.equal(await shell.run(exchange(device, getRandom2)), off2);
  await shell.refused(`swtpm_ioctl -e ${device}`, /ESTABLISHED: 0xa$/m);
  await shell.refused(`swtpm_ioctl --save permanent /tmp/x ${device}`, /GET_STATEBLOB: 0xa$/m);
  assert.match(await shell.run(`swtpm_ioctl -b 3000 ${device}`), /^TPM buffersize: 3000$/m);
  await shell.run(`swtpm_ioctl --lock-storage 1 ${device}`);

  await shell.run(`swtpm_ioctl -i ${device}`);
  await shell.refused(`swtpm_ioctl -b 3000 ${device}`, /SETBUFFERSIZE: 0xa$|SET_BUFFERSIZE: 0xa$/m);
  assert.match(await shell.run(`swtpm_ioctl -b 0 ${device}`), /^TPM buffersize: \d+$/m);
  assert.match(await shell.run(`swtpm_ioctl --info 1 ${device}`), /"family":"2\.0"/);
  // More than one answer holds.
  const all = await shell.run(`swtpm_ioctl --info 0x18 ${device}`);
  assert.ok(all.startsWith("{") && all.endsWith("}"), all);
  assert.equal(await shell.run(`swtpm_ioctl -g ${device}`), "ptm configuration flags: 0x0");
  for (const locality of [0, 1, 2, 3, 4]) await shell.run(`swtpm_ioctl -l ${locality} ${device}`);
  await shell.run(`swtpm_ioctl -l 0 ${device}`);

  // A hash sequence before TPM2_Startup sets the established bit; locality 3 clears it.
  assert.equal(await shell.run(`swtpm_ioctl -e ${device}`), "tpmEstablished is 0");
  await shell.run(`swtpm_ioctl -h ${"measured".repeat(700)} ${device}`);
  assert.equal(await shell.run(`swtpm_ioctl -e ${device}`), "tpmEstablished is 1");
  await shell.refused(`swtpm_ioctl -r 2 ${device}`, /0x3d/);
  await shell.run(`swtpm_ioctl -r 3 ${device}`);
  assert.equal(await shell.run(`swtpm_ioctl -e ${device}`), "tpmEstablished is 0");

  assert.equal(await shell.run(exchange(device, startup2)), success2);
  await shell.run(`
    export TPM2TOOLS_TCTI=device:${device}
    tpm2 getrandom --hex 8
    tpm2 createprimary -Q -c /tmp/c2.primary
    tpm2 flushcontext -t
    tpm2 nvdefine -Q -C o -s 2048 0x1500016
    echo -n kept! | tpm2 nvwrite -Q -C o -i - 0x1500016`);

  await rawUsers(shell, device);
  await statesThere(shell, device);

  await shell.run(`swtpm_ioctl -v ${device}; test -s /tmp/c2/tpm2-00.volatilestate`);
  await shell.run(`swtpm_ioctl -C ${device}`);
  const pid = await shell.run("cat /tmp/c2.pid");
  await shell.run(
    `swtpm_ioctl -s ${device}; within 10 gone ${device}; within 10 gone /proc/${pid}`,
  );
  assert.equal(await shell.run("ls -A /tmp/c2"), ".lock\ntpm2-00.permall\ntpm2-00.volatilestate");
  await shell.run("gone /tmp/c2.pid");
  for (
    const words of [
      "ctrl CMD_GET_STATEBLOB(flags=.*) = TPM_BAD_ORDINAL",
      "ctrl CMD_INIT(flags=.) = TPM_SUCCESS",
      "ctrl CMD_SET_LOCALITY(locality=4) = TPM_SUCCESS",
      "ctrl CMD_HASH_DATA(length=.*) = TPM_SUCCESS",
      "ctrl CMD_RESET_TPMESTABLISHED(locality=2) = TPM_BAD_LOCALITY",
      "#1 L0 TPM2_Startup(startupType=CLEAR) = TPM_RC_SUCCESS",
      "#1 L0 TPM2_NV_Write(owner, NV 0x01500016.*, data=<5 bytes>, offset=0).* = TPM_RC_SUCCESS",
      "ctrl CMD_SHUTDOWN() = TPM_SUCCESS",
    ]
  ) await shell.run(`grep -q '${words}' ${trace}`);
}

/** poll(2), interrupted reads [cuse-long], cancelled commands, a second user: no tool does that. */
async function rawUsers(shell: Shell, device: string): Promise<void> {
  assert.equal(
    await shell.run(`${user} refusals ${device}`),
    [
      "second open True",
      "terminal ioctl True",
      "SET_DATAFD True",
      "read of nothing b''",
    ].join("\n"),
  );
  assert.equal(
    await shell.run(`${user} poll ${device}`),
    [
      "before [] 11",
      "second write 16",
      "after True",
      "code 0",
    ].join("\n"),
  );
  assert.equal(await shell.run(`${user} interrupt ${device}`), "interrupted\ncode 0");
  assert.equal(
    await shell.run(`${user} cancel ${device}`),
    "configuration 8\ncancel {0}\ncode 0x909",
  );
  await shell.run(`tpm2 flushcontext -T device:${device} -t`);
  // A read in parts, as the C project's test_tpm2_partial_reads does it.
  const parts = `exec 5<>${device}; printf '${octal(getRandom2)}' >&5
    dd bs=4 count=1 <&5 2>/dev/null | od -A n -t x1; dd bs=100 count=1 <&5 2>/dev/null | wc -c
    dd bs=100 count=1 <&5 2>/dev/null | wc -c`;
  assert.equal(await shell.run(parts), " 80 01 00 00\n16\n0");
}

/**
 * States leave the device by ioctls and by reads, as they are then [cuse-state], and come back by
 * ioctls and by writes; the TPM that takes them is the one that gave them.
 */
async function statesThere(shell: Shell, device: string): Promise<void> {
  await shell.run(exchange(device, extend2(16)));
  const pcr = await shell.run(exchange(device, pcrRead2(16)));
  assert.match(pcr, /^80010000003e00000000.*[1-9a-f]/);
  await shell.run(`
    swtpm_ioctl --save permanent /tmp/before ${device}
    tpm2 nvdefine -Q -T device:${device} -C o -s 8 0x1500017
    swtpm_ioctl --save permanent /tmp/permanent ${device}
    test "$(sha256sum </tmp/before)" != "$(sha256sum </tmp/permanent)"
    SWTPM_IOCTL_BUFFERSIZE=100 swtpm_ioctl --save permanent /tmp/permanent.read ${device}
    cmp /tmp/permanent /tmp/permanent.read
    test $(wc -c </tmp/permanent) -gt 3072
    swtpm_ioctl --save volatile /tmp/volatile ${device}
    gone /tmp/c2/tpm2-00.volatilestate
    swtpm_ioctl --save savestate /tmp/savestate ${device}
    test -f /tmp/savestate && ! test -s /tmp/savestate`);
  const load = (size: string) => `
    swtpm_ioctl --stop ${device}
    ${size} swtpm_ioctl --load permanent /tmp/permanent ${device}
    ${size} swtpm_ioctl --load volatile /tmp/volatile ${device}
    swtpm_ioctl -i ${device}`;
  for (const size of ["", "SWTPM_IOCTL_BUFFERSIZE=100", "SWTPM_IOCTL_BUFFERSIZE=4096"]) {
    await shell.run(exchange(device, extend2(16)));
    assert.notEqual(await shell.run(exchange(device, pcrRead2(16))), pcr);
    await shell.run(load(size));
    assert.equal(await shell.run(exchange(device, pcrRead2(16))), pcr, `loaded with "${size}"`);
  }
  const read = `tpm2 nvread -T device:${device} -C o -s 5 0x1500016`;
  assert.equal(await shell.run(read), "kept!");
  await shell.refused(`swtpm_ioctl --load permanent /tmp/permanent ${device}`, /STATEBLOB: 0xa/);
  await shell.run(`swtpm_ioctl --stop ${device}; echo no state >/tmp/bad`);
  await shell.refused(`swtpm_ioctl --load permanent /tmp/bad ${device}`, /STATEBLOB: 0x3/);
  await shell.run(`swtpm_ioctl -i ${device}`);
  assert.equal(await shell.run(exchange(device, startup2)), success2);
  assert.equal(await shell.run(read), "kept!");
}

/**
 * A TPM 1.2 with its own number, for which there is a node already; it is on from the start. Its
 * paths are relative [cuse-paths], its state is locked [cuse-lock].
 */
export async function cuseTpm12(shell: Shell): Promise<void> {
  const device = "/dev/vtpm12";
  await shell.run(`
    mknod -m 600 ${device} c 240 7
    swtpm cuse -n vtpm12 --tpmstate dir=c1 --flags startup-clear -M 240 -m 7 --pid file=c1.pid`);
  assert.match(await shell.run(`ls -l ${device}`), /^c.* 240, +7 /);
  const pid = await shell.run("cat /tmp/c1.pid");
  await shell.refused(
    "swtpm cuse -n second --tpmstate dir=/tmp/c1 --flags startup-clear",
    new RegExp(`'/tmp/c1/.lock' is locked by process ${pid};`),
    255,
  );
  assert.equal(await shell.run(`swtpm_ioctl -c ${device}`), "ptm capability is 0x16fff");
  assert.match(await shell.run(`swtpm_ioctl --info 1 ${device}`), /"family":"1\.2"/);
  assert.equal(await shell.run(exchange(device, startup12)), started12);
  const zero = await shell.run(exchange(device, pcrRead12(10)));
  assert.equal(zero, `00c40000001e00000000${"00".repeat(20)}`);
  const extended = await shell.run(exchange(device, extend12(10)));
  assert.match(extended, /^00c40000001e00000000/);
  assert.equal(await shell.run(exchange(device, pcrRead12(10))), extended);

  // PCR 20 takes extends from localities 1 to 3.
  const codes = [];
  for (const locality of [0, 1, 2, 3, 4]) {
    await shell.run(`swtpm_ioctl -l ${locality} ${device}`);
    codes.push(codeOf(await shell.run(exchange(device, extend12(20)))));
  }
  assert.deepEqual(codes, [badLocality12, 0, 0, 0, badLocality12]);
  await shell.run(`swtpm_ioctl -l 0 ${device}`);

  await shell.run(`swtpm_ioctl --save permanent /tmp/p1 ${device}
    swtpm_ioctl --save volatile /tmp/v1 ${device}
    swtpm_ioctl --stop ${device}
    swtpm_ioctl --load permanent /tmp/p1 ${device}
    swtpm_ioctl --load volatile /tmp/v1 ${device}
    swtpm_ioctl -i ${device}`);
  assert.equal(await shell.run(exchange(device, pcrRead12(10))), extended);
  await shell.refused(`swtpm_ioctl -C ${device}`, /0x9/);
  // The kernel leaves the node to who made it.
  await shell.run(`kill -TERM ${pid}; within 10 gone /proc/${pid}; rm ${device}`);
}
