// The serial numbers of an authority's certificates, in a file that the C program's tools count on in,
// too. Only for who has the authority's lock.
import { randomBytes } from "node:crypto";
import { type Files, O } from "../../ffi/files.ts";
import { putWhole } from "../../ffi/whole_file.ts";

const FILE_MODE = 0o664;
/** Where new serial numbers begin: nobody has used them, and C 0.7.1 can count on from them. */
const SERIAL_START = 1n << 62n;
/** How long the C program 0.10 writes a number that it begins with. */
const SERIAL_DIGITS = 20;
/** 20 bytes, the first bit of which is that of a sign. */
const SERIAL_LIMIT = 1n << 159n;

/** The next number, which the file has from now on as the last one. Throws SystemError. */
export function takeSerial(files: Files, path: string): bigint {
  const last = readSerial(files, path);
  const next = BigInt(last ?? SERIAL_LIMIT) + 1n;
  const goesOn = last !== undefined && next < SERIAL_LIMIT;
  const serial = goesOn ? next : randomSerial();
  const text = serial.toString().padStart(goesOn ? last.length : SERIAL_DIGITS, "0");
  putWhole(files, path, new TextEncoder().encode(text), FILE_MODE);
  return serial;
}

/** Of eight bytes, the first bit of which is that of a sign. */
export function randomSerial(): bigint {
  return SERIAL_START + BigInt.asUintN(62, BigInt(`0x${randomBytes(8).toString("hex")}`));
}

/** The digits of the last number that was used; undefined where the file tells none. */
function readSerial(files: Files, path: string): string | undefined {
  const DIGITS_MAX = 49;
  let fd;
  try {
    fd = files.open(path, O.RDONLY);
  } catch (error) {
    if (files.statusOf(path) === undefined) return undefined;
    throw error;
  }
  try {
    const text = new TextDecoder().decode(files.readAll(fd, DIGITS_MAX, path)).trim();
    return /^\d{1,49}$/.test(text) && BigInt(text) > 0n ? text : undefined;
  } finally {
    files.close(fd);
  }
}
