// The kernel's vTPM proxy: asks /dev/vtpmx for a new TPM device, whose commands then come through a
// descriptor (linux/vtpm_proxy.h). What passes there is a data channel like any other.
import type { Files } from "../ffi/files.ts";
import { Errno, SystemError } from "../ffi/libc.ts";
import { littleEndian, struct, u32 } from "../wire/codec.ts";
import { ioctlNumber } from "../wire/ioctl.ts";
import { type DeviceFiles, type KernelDevice, openKernelDevice } from "./kernel_device.ts";

const PROXY: KernelDevice = { path: "/dev/vtpmx", module: "tpm_vtpm_proxy", name: "vtpmx" };

const le32 = littleEndian(u32);

/** `struct vtpm_proxy_new_dev`; all but the flags are the kernel's answer. */
export const newDevice = struct("vtpm_proxy_new_dev", {
  flags: le32,
  /** N of /dev/tpmN. */
  tpmNumber: le32,
  /** Our end: readable when the kernel has a command. */
  fd: le32,
  major: le32,
  minor: le32,
});

/** VTPM_PROXY_IOC_NEW_DEV */
export const NEW_DEVICE = ioctlNumber("writeRead", 0xa1, 0, newDevice.size);

/** The device speaks the protocol of a TPM 2. */
const FLAG_TPM2 = 1;

/** A TPM device of the kernel's, and the descriptor that its commands come through. */
export interface VtpmDevice {
  fd: number;
  path: string;
  major: number;
  minor: number;
}

/**
 * Has the kernel make a TPM device, which takes the powers of root. It is there for users once the
 * TPM has answered the kernel's first commands, and goes with the descriptor. Throws an Error that
 * says what stood in the way.
 */
export function createVtpmDevice(
  files: DeviceFiles & Pick<Files, "ioctl">,
  tpm2: boolean,
): VtpmDevice {
  const proxy = openKernelDevice(files, PROXY);
  try {
    const argument = newDevice.encode({
      flags: tpm2 ? FLAG_TPM2 : 0,
      tpmNumber: 0,
      fd: 0,
      major: 0,
      minor: 0,
    });
    files.ioctl(proxy, NEW_DEVICE, argument, "VTPM_PROXY_IOC_NEW_DEV");
    const { fd, tpmNumber, major, minor } = newDevice.decode(argument);
    return { fd, path: `/dev/tpm${tpmNumber}`, major, minor };
  } catch (error) {
    const refused = error instanceof SystemError && error.errno === Errno.EPERM;
    const hint = refused ? "; only root (CAP_SYS_ADMIN) may make one" : "";
    throw new Error(`Could not make a TPM device: ${(error as Error).message}${hint}`, {
      cause: error,
    });
  } finally {
    files.close(proxy);
  }
}
