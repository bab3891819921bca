// Numbers of ioctl(2) requests (asm-generic/ioctl.h, which x86-64 and arm64 follow): two bits of
// direction, 14 of the argument's size, 8 of the driver's letter, 8 of the request.

/** Which way the argument goes, seen from the caller: read back, or written and read back. */
export type Direction = "read" | "writeRead";

const directions: Record<Direction, number> = { read: 2, writeRead: 3 };

/** _IOR(type, number, argument) and _IOWR(type, number, argument); `size` in bytes. */
export function ioctlNumber(
  direction: Direction,
  type: number,
  number: number,
  size: number,
): number {
  return (directions[direction] << 30 | size << 16 | type << 8 | number) >>> 0;
}
