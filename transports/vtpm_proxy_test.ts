// Unit tests of the request for a vTPM proxy device, over a kernel that answers as it is told.
import { deepEqual, equal, throws } from "node:assert/strict";
import { Errno, SystemError } from "../ffi/libc.ts";
import { createVtpmDevice, NEW_DEVICE, newDevice } from "./vtpm_proxy.ts";

class FakeProxy {
  readonly calls: string[] = [];
  failure: SystemError | undefined;

  refusal: SystemError | undefined;

  open(path: string): number {
    if (this.refusal !== undefined && path !== "/proc/misc") throw this.refusal;
    this.calls.push(`open ${path}`);
    return 7;
  }
  readAll(): Uint8Array<ArrayBuffer> {
    return new Uint8Array();
  }
  close(fd: number): void {
    this.calls.push(`close ${fd}`);
  }
  ioctl(fd: number, request: number, argument: Uint8Array<ArrayBuffer>): number {
    const { flags } = newDevice.decode(argument);
    this.calls.push(`ioctl ${fd} 0x${request.toString(16)} ${flags}`);
    if (this.failure !== undefined) throw this.failure;
    newDevice.write(argument, 0, { flags, tpmNumber: 3, fd: 11, major: 10, minor: 224 });
    return 0;
  }
}

Deno.test("the ioctl and its struct are those of linux/vtpm_proxy.h", () => {
  equal(NEW_DEVICE, 0xc014a100);
  const bytes = newDevice.encode({ flags: 1, tpmNumber: 2, fd: 3, major: 10, minor: 0x10203 });
  deepEqual([...bytes], [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 10, 0, 0, 0, 3, 2, 1, 0]);
});

Deno.test("a device is asked for by its version, and /dev/vtpmx closed again", () => {
  for (const tpm2 of [true, false]) {
    const proxy = new FakeProxy();
    const device = createVtpmDevice(proxy, tpm2);
    deepEqual(device, { fd: 11, path: "/dev/tpm3", major: 10, minor: 224 });
    const ioctl = `ioctl 7 0xc014a100 ${tpm2 ? 1 : 0}`;
    deepEqual(proxy.calls, ["open /dev/vtpmx", ioctl, "close 7"]);
  }
});

Deno.test("a refusal is told, and /dev/vtpmx closed again", () => {
  const proxy = new FakeProxy();
  proxy.failure = new SystemError("ioctl", 12, "ENOMEM", "Cannot allocate memory");
  throws(() => createVtpmDevice(proxy, true), /^Error: Could not make a TPM device: .*ENOMEM\)$/);
  proxy.failure = new SystemError("ioctl", Errno.EPERM, "EPERM", "Operation not permitted");
  throws(() => createVtpmDevice(proxy, true), /EPERM\); only root \(CAP_SYS_ADMIN\)/);
  equal(proxy.calls.at(-1), "close 7");
});

Deno.test("a kernel without the module is told with what to load", () => {
  const proxy = new FakeProxy();
  proxy.refusal = new SystemError("open", Errno.ENOENT, "ENOENT", "No such file or directory");
  throws(() => createVtpmDevice(proxy, true), /'\/dev\/vtpmx': .* 'modprobe tpm_vtpm_proxy'/);
});
