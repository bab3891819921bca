// What the kernel says of a file, read out of what statx(2) has filled in.

export type FileKind = "file" | "directory" | "block" | "character" | "fifo" | "socket" | "other";

/** What statx(2) says of a file. */
export interface FileStatus {
  kind: FileKind;
  /** Permission bits, 0 to 07777. */
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** Number of names that lead to it; 0 for one that was removed. */
  links: number;
  /** The same for two paths or descriptors of one file, and only for those. */
  identity: string;
  /** Whether something is mounted there, on just this name; false before Linux 5.8. */
  isMount: boolean;
}

/** What is asked for: everything but what is newer than the call. */
export const STATX_BASIC_STATS = 0x7ff;
const STATX_ATTR_MOUNT_ROOT = 0x2000;

/** Bytes of `struct statx`. */
export const STATX_SIZE = 256;

/** Offsets in `struct statx` (linux/stat.h), which is the same on every architecture. */
const layout = {
  attributes: 8,
  links: 16,
  uid: 20,
  gid: 24,
  mode: 28,
  inode: 32,
  length: 40,
  device: 136,
} as const;

const kinds: Record<number, FileKind> = {
  0o10: "file",
  0o4: "directory",
  0o6: "block",
  0o2: "character",
  0o1: "fifo",
  0o14: "socket",
};

/** The values in a `struct statx`. */
export function fileStatus(bytes: Uint8Array<ArrayBuffer>): FileStatus {
  const view = new DataView(bytes.buffer);
  const mode = view.getUint16(layout.mode, true);
  return {
    kind: kinds[mode >>> 12] ?? "other",
    mode: mode & 0o7777,
    uid: view.getUint32(layout.uid, true),
    gid: view.getUint32(layout.gid, true),
    size: Number(view.getBigUint64(layout.length, true)),
    links: view.getUint32(layout.links, true),
    isMount: (view.getUint32(layout.attributes, true) & STATX_ATTR_MOUNT_ROOT) !== 0,
    identity: `${view.getBigUint64(layout.device, true)}:${view.getBigUint64(layout.inode, true)}`,
  };
}
