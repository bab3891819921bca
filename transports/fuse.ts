// The kernel's FUSE protocol as codecs, as far as a character device in user space (CUSE) speaks
// it: linux/fuse.h, protocol 7. Numbers stand in the host's byte order, which is little-endian on
// every machine that this program runs on. When to send what is cuse_device.ts' affair.
import { type Codec, littleEndian, reserved, struct, u16, u32 } from "../wire/codec.ts";

const le16 = littleEndian(u16);
const le32 = littleEndian(u32);

/** A signed number, for errors and results. */
const le32Signed: Codec<number> = {
  size: 4,
  read: (bytes, at) => le32.read(bytes, at) | 0,
  write: (bytes, at, value) => le32.write(bytes, at, value >>> 0),
};

/**
 * A 64-bit number below 2^53. All that are read here are counters of the kernel's, which begin near
 * zero; random ones and pointers are reserved bytes to us.
 */
const le64: Codec<number> = {
  size: 8,
  read: (bytes, at) => le32.read(bytes, at) + le32.read(bytes, at + 4) * 2 ** 32,
  write: (bytes, at, value) => {
    le32.write(bytes, at, value >>> 0);
    le32.write(bytes, at + 4, Math.floor(value / 2 ** 32));
  },
};

/** The protocol's major version, and the first minor version that the kernel takes for CUSE. */
export const FUSE_MAJOR = 7;
export const FUSE_MINOR_MIN = 11;
/** The newest minor version that this file was compared with (Linux 6.1). */
export const FUSE_MINOR_MAX = 38;

/** The kernel takes no smaller buffer for a request (FUSE_MIN_READ_BUFFER). */
export const REQUEST_BUFFER_MIN = 8192;

/** enum fuse_opcode, of which a character device gets these. */
export const Opcode = {
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  RELEASE: 18,
  INTERRUPT: 36,
  IOCTL: 39,
  POLL: 40,
  CUSE_INIT: 4096,
} as const;

/** Before every request. */
export const inHeader = struct("fuse_in_header", {
  /** Size of the whole request, this header included. */
  len: le32,
  opcode: le32,
  /** Names the request in its reply. */
  unique: le64,
  nodeid: reserved(8),
  uid: le32,
  gid: le32,
  pid: le32,
  totalExtlen: le16,
  padding: reserved(2),
});

/** Before every reply, and before a notification (`unique` 0, `error` a {@linkcode Notify}). */
export const outHeader = struct("fuse_out_header", {
  len: le32,
  /** 0, or an errno negated. */
  error: le32Signed,
  unique: le64,
});

/** enum fuse_notify_code */
export const Notify = { POLL: 1 } as const;

export const cuseInitIn = struct("cuse_init_in", {
  major: le32,
  minor: le32,
  unused: reserved(4),
  flags: le32,
});

/** `DEVNAME=name` and a NUL follow. */
export const cuseInitOut = struct("cuse_init_out", {
  major: le32,
  minor: le32,
  unused: reserved(4),
  flags: le32,
  /** Largest read and write that come as one request. */
  maxRead: le32,
  maxWrite: le32,
  /** Device number; 0 and 0 let the kernel choose. */
  devMajor: le32,
  devMinor: le32,
  spare: reserved(40),
});

/** Beside `read_flags` and `write_flags` the file handle and the offset mean nothing to us. */
export const readIn = struct("fuse_read_in", {
  fh: reserved(8),
  offset: reserved(8),
  size: le32,
  readFlags: le32,
  lockOwner: reserved(8),
  /** Flags of open(2). */
  flags: le32,
  padding: reserved(4),
});

/** The data follow. */
export const writeIn = struct("fuse_write_in", {
  fh: reserved(8),
  offset: reserved(8),
  size: le32,
  writeFlags: le32,
  lockOwner: reserved(8),
  flags: le32,
  padding: reserved(4),
});

export const writeOut = struct("fuse_write_out", { size: le32, padding: reserved(4) });

export const openOut = struct("fuse_open_out", {
  fh: le64,
  openFlags: le32,
  padding: reserved(4),
});

/** `inSize` bytes of the caller's memory follow. */
export const ioctlIn = struct("fuse_ioctl_in", {
  fh: reserved(8),
  flags: le32,
  /** The request number of ioctl(2). */
  cmd: le32,
  arg: reserved(8),
  inSize: le32,
  /** How much the caller's memory takes back. */
  outSize: le32,
});

/** What goes back into the caller's memory follows. */
export const ioctlOut = struct("fuse_ioctl_out", {
  /** What ioctl(2) returns. */
  result: le32Signed,
  flags: le32,
  inIovs: le32,
  outIovs: le32,
});

export const pollIn = struct("fuse_poll_in", {
  fh: reserved(8),
  /** Names the poll in a notification. */
  kh: le64,
  flags: le32,
  events: le32,
});

/** Flag of {@linkcode pollIn}: somebody sleeps until a notification comes. */
export const POLL_SCHEDULE_NOTIFY = 1;

export const pollOut = struct("fuse_poll_out", { revents: le32, padding: reserved(4) });

export const notifyPollWakeup = struct("fuse_notify_poll_wakeup_out", { kh: le64 });

export const interruptIn = struct("fuse_interrupt_in", {
  /** The request that somebody no longer waits for. */
  unique: le64,
});
