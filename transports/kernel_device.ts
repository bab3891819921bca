// Opens a device of the kernel that asks for a new device of ours, and says what to do where that
// is not possible: the module, the node or the permission may be missing.
import { type Files, O } from "../ffi/files.ts";
import { Errno, SystemError } from "../ffi/libc.ts";

/** A device that a kernel module offers. */
export interface KernelDevice {
  path: string;
  /** The module, as modprobe(8) is told. */
  module: string;
  /** Its name in /proc/misc, where the kernel lists devices with major number 10. */
  name: string;
}

/** What it takes of the system's calls on files. */
export type DeviceFiles = Pick<Files, "open" | "readAll" | "close">;

const MISC_MAJOR = 10;
const MISC_LIST = "/proc/misc";
const MISC_LIST_MAX = 64 * 1024;

/** Opens it for both ways, without waiting in its calls. Throws an Error with a hint. */
export function openKernelDevice(files: DeviceFiles, device: KernelDevice): number {
  const { path } = device;
  try {
    return files.open(path, O.RDWR | O.NONBLOCK);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new Error(`Could not open '${path}': ${explain(files, device, error)}`, { cause: error });
  }
}

function explain(files: DeviceFiles, device: KernelDevice, error: SystemError): string {
  const { path, module } = device;
  const load = `load the kernel module with 'modprobe ${module}'`;
  switch (error.errno) {
    case Errno.ENOENT: {
      const minor = minorNumber(files, device);
      return minor === undefined
        ? `there is no such device; ${load}`
        : `the device node is missing; make it with 'mknod ${path} c ${MISC_MAJOR} ${minor}'`;
    }
    case Errno.ENODEV:
    case Errno.ENXIO:
      return `there is no driver behind it; ${load}`;
    case Errno.EACCES:
      return `${error.reason}; start as root, or let this user read and write '${path}'`;
    case Errno.EPERM:
      return `${error.reason}; in a container its device rules may forbid '${path}'`;
    default:
      return error.reason;
  }
}

/** The minor number under which the kernel offers the device now, if it does. */
function minorNumber(files: DeviceFiles, { name }: KernelDevice): number | undefined {
  try {
    const fd = files.open(MISC_LIST, O.RDONLY);
    try {
      const list = new TextDecoder().decode(files.readAll(fd, MISC_LIST_MAX, MISC_LIST));
      const line = list.split("\n").map((line) => line.trim().split(/\s+/))
        .find(([, listed]) => listed === name);
      return line === undefined ? undefined : Number(line[0]);
    } finally {
      files.close(fd);
    }
  } catch {
    // Without /proc, as in a changed root, the hint stays the general one.
    return undefined;
  }
}
