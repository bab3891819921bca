// A character device of our own, /dev/NAME, over the kernel's /dev/cuse: makes it, receives what
// its users do with it, sends the replies. What the device answers is the daemon's affair.
import type { Files } from "../ffi/files.ts";
import { Errno, SystemError } from "../ffi/libc.ts";
import { type Sockets, WOULD_BLOCK } from "../ffi/sockets.ts";
import { type CuseRequest, readCuseRequest } from "./cuse_request.ts";
import {
  cuseInitIn,
  cuseInitOut,
  FUSE_MAJOR,
  FUSE_MINOR_MAX,
  FUSE_MINOR_MIN,
  inHeader,
  ioctlOut,
  Notify,
  notifyPollWakeup,
  Opcode,
  openOut,
  outHeader,
  pollOut,
  REQUEST_BUFFER_MIN,
  writeIn,
  writeOut,
} from "./fuse.ts";
import { type DeviceFiles, type KernelDevice, openKernelDevice } from "./kernel_device.ts";

const CUSE: KernelDevice = { path: "/dev/cuse", module: "cuse", name: "cuse" };

/**
 * Largest read and write in one request; the kernel splits larger ones. Far more than a TPM command,
 * because state blobs are read and written in pieces of the user's choice.
 */
export const TRANSFER_MAX = 64 * 1024;

/** What it takes of the system's calls on files. */
export type CuseFiles = DeviceFiles & Pick<Files, "write">;

/** What the device is to be. Numbers 0 and 0 let the kernel choose. */
export interface DeviceIdentity {
  /** The part behind /dev/. */
  name: string;
  major: number;
  minor: number;
}

/** What a user of the device is told. */
export interface CuseReplies {
  /** Takes an open; also the success of a release. */
  opened(unique: number): void;
  released(unique: number): void;
  /** Answers a read; no bytes are the end of the file. */
  data(unique: number, bytes: Uint8Array): void;
  written(unique: number, count: number): void;
  /** ioctl(2) returns 0, and these bytes go into the caller's memory. */
  ioctl(unique: number, output: Uint8Array): void;
  /** What is ready: POLLIN and so on. */
  poll(unique: number, ready: number): void;
  fail(unique: number, errno: number): void;
  /** Wakes up somebody who sleeps in poll(2), so that the kernel asks again. */
  wake(handle: number): void;
}

/** Where requests come from and replies go. */
export interface CuseChannel extends CuseReplies {
  readonly fd: number;
  /** The request that is there now, `undefined` where there is none, or that the device is gone. */
  receive(): CuseRequest | "gone" | undefined;
}

export class CuseDevice implements CuseChannel {
  readonly #buffer = new Uint8Array(
    Math.max(REQUEST_BUFFER_MIN, inHeader.size + writeIn.size + TRANSFER_MAX),
  );
  /** Size of a request in the buffer that came before anybody asked for it. */
  #early: number | undefined;

  private constructor(
    private readonly files: CuseFiles,
    private readonly sockets: Pick<Sockets, "read">,
    readonly fd: number,
  ) {}

  /** Opens the way to a device. Throws an Error that says what to do where there is none. */
  static open(files: CuseFiles, sockets: Pick<Sockets, "read">): CuseDevice {
    return new CuseDevice(files, sockets, openKernelDevice(files, CUSE));
  }

  /** Has the kernel make the device: it is there for users when this returns. */
  make(identity: DeviceIdentity): void {
    try {
      this.#initialise(identity);
    } catch (error) {
      throw new Error(
        `Could not make the device '/dev/${identity.name}': ${(error as Error).message}`,
        { cause: error },
      );
    }
  }

  /** The kernel speaks first; with our answer it makes the device, or ends the connection. */
  #initialise({ name, major, minor }: DeviceIdentity): void {
    const count = this.#read();
    if (count === undefined || count === "gone") throw new Error("the kernel asked nothing");
    const { opcode, unique } = inHeader.decode(this.#buffer.subarray(0, count));
    if (opcode !== Opcode.CUSE_INIT) throw new Error(`the kernel began with request ${opcode}`);
    const kernel = cuseInitIn.decode(this.#buffer.subarray(inHeader.size, count));
    if (kernel.major !== FUSE_MAJOR || kernel.minor < FUSE_MINOR_MIN) {
      throw new Error(
        `the kernel speaks FUSE ${kernel.major}.${kernel.minor}, not ${FUSE_MAJOR}.` +
          `${FUSE_MINOR_MIN} or a later ${FUSE_MAJOR}`,
      );
    }
    const answer = {
      major: FUSE_MAJOR,
      minor: Math.min(kernel.minor, FUSE_MINOR_MAX),
      // Not CUSE_UNRESTRICTED_IOCTL, by which the device would reach all of its users' memory: the
      // request number of an ioctl says how much of it goes back and forth, and the kernel sees to
      // that. It never needs to be asked for more (FUSE_IOCTL_RETRY).
      flags: 0,
      maxRead: TRANSFER_MAX,
      maxWrite: TRANSFER_MAX,
      devMajor: major,
      devMinor: minor,
    };
    this.#send(
      unique,
      0,
      cuseInitOut.encode(answer, new TextEncoder().encode(`DEVNAME=${name}\0`)),
    );
    const next = this.#read();
    if (next === "gone") {
      const number = major === 0 ? "" : ` or its number ${major}:${minor}`;
      throw new Error(`the kernel refused it: the name '${name}'${number} may be taken`);
    }
    this.#early = next;
  }

  receive(): CuseRequest | "gone" | undefined {
    const count = this.#early ?? this.#read();
    this.#early = undefined;
    if (count === undefined || count === "gone") return count;
    return readCuseRequest(this.#buffer.subarray(0, count));
  }

  /** One request is one read(2). */
  #read(): number | "gone" | undefined {
    try {
      const count = this.sockets.read(this.fd, this.#buffer);
      return count === WOULD_BLOCK ? undefined : count;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      // Its caller was killed before we took it.
      if (error.errno === Errno.ENOENT) return undefined;
      if (error.errno === Errno.ENODEV) return "gone";
      throw error;
    }
  }

  opened(unique: number): void {
    this.#send(unique, 0, openOut.encode({ fh: 0, openFlags: 0 }));
  }

  released(unique: number): void {
    this.#send(unique, 0);
  }

  data(unique: number, bytes: Uint8Array): void {
    this.#send(unique, 0, bytes);
  }

  written(unique: number, count: number): void {
    this.#send(unique, 0, writeOut.encode({ size: count }));
  }

  ioctl(unique: number, output: Uint8Array): void {
    const head = { result: 0, flags: 0, inIovs: 0, outIovs: 0 };
    this.#send(unique, 0, ioctlOut.encode(head, output));
  }

  poll(unique: number, ready: number): void {
    this.#send(unique, 0, pollOut.encode({ revents: ready }));
  }

  fail(unique: number, errno: number): void {
    this.#send(unique, -errno);
  }

  wake(handle: number): void {
    this.#send(0, Notify.POLL, notifyPollWakeup.encode({ kh: handle }));
  }

  /** One reply is one write(2). */
  #send(unique: number, error: number, payload?: Uint8Array): void {
    const len = outHeader.size + (payload?.length ?? 0);
    try {
      this.files.write(this.fd, outHeader.encode({ len, error, unique }, payload));
    } catch (failure) {
      if (!(failure instanceof SystemError)) throw failure;
      // Nobody waits for it any more: its caller was killed, or the device is gone, which the next
      // receive tells.
      if (failure.errno !== Errno.ENOENT && failure.errno !== Errno.ENODEV) throw failure;
    }
  }

  /** The device goes with it. */
  close(): void {
    this.files.close(this.fd);
  }
}
