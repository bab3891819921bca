// Unit tests of the CUSE device over a kernel that says what the test wrote. The handshake was
// recorded with strace on Linux 6.1.
import { deepEqual, equal, throws } from "node:assert/strict";
import { Errno, SystemError } from "../ffi/libc.ts";
import { WOULD_BLOCK } from "../ffi/sockets.ts";
import { CuseDevice, type DeviceIdentity } from "./cuse_device.ts";

const hex = (text: string) =>
  Uint8Array.from(text.match(/\w\w/g) ?? [], (pair) => parseInt(pair, 16));
const text = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const failure = (errno: number) => new SystemError("call", errno, `E${errno}`, `error ${errno}`);

const INIT = hex(
  `38000000 00100000 0200000000000000 0000000000000000 00000000 00000000 64000000 00000000
   07000000 26000000 00000000 01000000`,
);
const OPEN = hex(
  `30000000 0e000000 0400000000000000 0000000000000000 00000000 00000000 8e000000 00000000
   02800000 00000000`,
);

/** What a read of /dev/cuse brings: bytes, or the errno that it fails with. */
type Arriving = Uint8Array | number;

/** Arrives where the handshake looks whether the kernel is still there: a request that is gone. */
const NOTHING_YET = Errno.ENOENT;

class FakeKernel {
  readonly sent: string[] = [];
  /** errno of opening /dev/cuse. */
  refusal: number | undefined;
  /** errno of every reply. */
  deaf: number | undefined;
  /** What /proc/misc says. */
  misc = "";

  constructor(readonly arriving: Arriving[]) {}

  open(path: string): number {
    if (path === "/proc/misc") return 8;
    if (this.refusal !== undefined) throw failure(this.refusal);
    return 7;
  }
  readAll(): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(this.misc);
  }
  write(_fd: number, bytes: Uint8Array): void {
    if (this.deaf !== undefined) throw failure(this.deaf);
    this.sent.push(text(bytes));
  }
  close(): void {}
  read(_fd: number, into: Uint8Array): number {
    const next = this.arriving.shift();
    if (next === undefined) return WOULD_BLOCK;
    if (typeof next === "number") throw failure(next);
    into.set(next);
    return next.length;
  }
}

function made(kernel: FakeKernel, identity: DeviceIdentity): CuseDevice {
  const device = CuseDevice.open(kernel, kernel);
  device.make(identity);
  return device;
}

function opened(...arriving: Arriving[]) {
  const kernel = new FakeKernel([INIT, ...arriving]);
  const device = made(kernel, { name: "vtpm0", major: 0, minor: 0 });
  kernel.sent.length = 0;
  return { kernel, device };
}

Deno.test("the handshake names the device and asks for no power over its users' memory", () => {
  const kernel = new FakeKernel([INIT]);
  made(kernel, { name: "vtpm0", major: 245, minor: 3 });
  deepEqual(kernel.sent, [
    text(hex(
      `66000000 00000000 0200000000000000 07000000 26000000 00000000 00000000 00000100 00000100
       f5000000 03000000 ${"00".repeat(40)} 4445564e414d453d7674706d3000`,
    )),
  ]);
});

Deno.test("a kernel that speaks another protocol is refused", () => {
  const other = INIT.slice();
  other[40] = 8;
  const kernel = new FakeKernel([other]);
  throws(
    () => made(kernel, { name: "vtpm0", major: 0, minor: 0 }),
    /Could not make the device '\/dev\/vtpm0': the kernel speaks FUSE 8\.38/,
  );
  const old = INIT.slice();
  old[44] = 10;
  const older = new FakeKernel([old]);
  throws(() => made(older, { name: "x", major: 0, minor: 0 }), /FUSE 7\.10/);
});

Deno.test("a name or number that the kernel refuses is told", () => {
  const kernel = new FakeKernel([INIT, Errno.ENODEV]);
  throws(
    () => made(kernel, { name: "vtpm0", major: 10, minor: 1 }),
    /the name 'vtpm0' or its number 10:1 may be taken/,
  );
});

Deno.test("what is missing on the machine is told with what to do about it", () => {
  const cases: [number, string, RegExp][] = [
    [Errno.ENOENT, "", /Could not open '\/dev\/cuse': there is no such device; .*'modprobe cuse'/],
    [Errno.ENOENT, "124 vtpmx\n203 cuse\n", /node is missing; .*'mknod \/dev\/cuse c 10 203'/],
    [Errno.ENODEV, "", /'modprobe cuse'/],
    [Errno.ENXIO, "", /'modprobe cuse'/],
    [Errno.EACCES, "203 cuse\n", /error 13; start as root/],
    [Errno.EPERM, "203 cuse\n", /error 1; in a container/],
    [Errno.EBUSY, "", /'\/dev\/cuse': error 16$/],
  ];
  for (const [errno, misc, message] of cases) {
    const kernel = new FakeKernel([]);
    kernel.refusal = errno;
    kernel.misc = misc;
    throws(() => made(kernel, { name: "x", major: 0, minor: 0 }), message);
  }
});

Deno.test("a request that comes with the device is not lost", () => {
  const { device } = opened(OPEN);
  deepEqual(device.receive(), { kind: "open", unique: 4 });
  equal(device.receive(), undefined);
});

Deno.test("a request whose caller was killed is none; without its kernel the device is gone", () => {
  const { device } = opened(NOTHING_YET, Errno.ENOENT, OPEN, Errno.ENODEV);
  equal(device.receive(), undefined);
  deepEqual(device.receive(), { kind: "open", unique: 4 });
  equal(device.receive(), "gone");
});
Deno.test("replies have the layouts of the protocol", () => {
  const { kernel, device } = opened();
  device.opened(4);
  device.released(8);
  device.data(22, hex("8001"));
  device.written(18, 12);
  device.ioctl(12, hex("01020304"));
  device.poll(20, 5);
  device.fail(24, Errno.EBUSY);
  device.wake(5);
  deepEqual(kernel.sent, [
    "2000000000000000040000000000000000000000000000000000000000000000",
    "10000000000000000800000000000000",
    "120000000000000016000000000000008001",
    "180000000000000012000000000000000c00000000000000",
    "24000000000000000c0000000000000000000000000000000000000000000000" + "01020304",
    "180000000000000014000000000000000500000000000000",
    "10000000f0ffffff1800000000000000",
    "180000000100000000000000000000000500000000000000",
  ]);
});

Deno.test("a reply that nobody waits for any more is no error, any other failure is", () => {
  const { kernel, device } = opened();
  for (const errno of [Errno.ENOENT, Errno.ENODEV]) {
    kernel.deaf = errno;
    device.released(8);
  }
  kernel.deaf = Errno.EINVAL;
  throws(() => device.released(8), SystemError);
});
