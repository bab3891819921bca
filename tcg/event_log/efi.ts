// What firmware writes in UEFI's forms: GUIDs, texts of two bytes a letter, device paths, variables.

import { Reader } from "../kernel/reader.ts";
import { u16le, u32le, u64le } from "../kernel/little_endian.ts";

/** "8be4df61-93ca-11d2-aa0d-00e098032b8c"; the first three parts have their lowest byte first. */
export function readGuid(reader: Reader): string {
  const digits = (value: number, length: number) => value.toString(16).padStart(length, "0");
  const first = digits(u32le.decode(reader), 8);
  const second = digits(u16le.decode(reader), 4);
  const third = digits(u16le.decode(reader), 4);
  const rest = Array.from(reader.bytes(8), (byte) => digits(byte, 2)).join("");
  return `${first}-${second}-${third}-${rest.slice(0, 4)}-${rest.slice(4)}`;
}

/** A text of two bytes a letter, up to its zero or its end. */
export function ucs2(bytes: Uint8Array): string {
  const text = new TextDecoder("utf-16le").decode(bytes);
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** Reads letters of two bytes up to a zero, which is taken, too. */
export function readUcs2(reader: Reader): string {
  const letters: number[] = [];
  for (;;) {
    const letter = u16le.decode(reader);
    if (letter === 0) return String.fromCharCode(...letters);
    letters.push(letter);
  }
}

/** A number that must fit: sizes in UEFI have eight bytes. */
export function readSize(reader: Reader): number {
  const at = reader.offset;
  const size = u64le.decode(reader);
  if (size > BigInt(reader.left)) reader.fail(`${size} bytes announced, ${reader.left} left`, at);
  return Number(size);
}

/** What a boot variable starts. */
export interface LoadOption {
  readonly active: boolean;
  readonly description: string;
  readonly path: string;
}

const LOAD_OPTION_ACTIVE = 1;

/** EFI_LOAD_OPTION. */
export function readLoadOption(bytes: Uint8Array): LoadOption {
  const reader = new Reader(bytes);
  const attributes = u32le.decode(reader);
  const pathSize = u16le.decode(reader);
  const description = readUcs2(reader);
  if (pathSize > reader.left) reader.fail(`${pathSize} bytes of path, ${reader.left} left`);
  const path = devicePath(reader.bytes(pathSize));
  return { active: (attributes & LOAD_OPTION_ACTIVE) !== 0, description, path };
}

/** How many lists and entries of signatures a variable holds. */
export function countSignatures(bytes: Uint8Array): { lists: number; entries: number } {
  const reader = new Reader(bytes);
  const head = 28;
  let lists = 0;
  let entries = 0;
  while (reader.left > 0) {
    readGuid(reader);
    const size = u32le.decode(reader);
    const headerSize = u32le.decode(reader);
    const entrySize = u32le.decode(reader);
    const left = size - head - headerSize;
    if (left < 0 || left + headerSize > reader.left || entrySize === 0) {
      reader.fail(`a list of ${size} bytes does not fit`);
    }
    reader.bytes(headerSize + left);
    lists++;
    entries += Math.floor(left / entrySize);
  }
  return { lists, entries };
}

/** Kinds of a device path's parts. */
const END = 0x7f;

/** A device path in UEFI's words, "PciRoot(0)/Pci(0x1f,2)/File(\EFI\BOOT\BOOTX64.EFI)". */
export function devicePath(bytes: Uint8Array): string {
  const reader = new Reader(bytes);
  const parts: string[] = [];
  while (reader.left >= 4) {
    const type = reader.u8();
    const kind = reader.u8();
    const at = reader.offset;
    const size = u16le.decode(reader);
    if (type === END) continue;
    if (size < 4 || size - 4 > reader.left) reader.fail(`a part of ${size} bytes does not fit`, at);
    parts.push(pathPart(type, kind, reader.bytes(size - 4)));
  }
  return parts.join("/");
}

/** By type and kind; each reads what is behind the part's size. */
const PARTS: Readonly<Record<string, (reader: Reader) => string>> = {
  "1.1": (reader) => {
    const pciFunction = reader.u8();
    return `Pci(${hexNumber(reader.u8())},${hexNumber(pciFunction)})`;
  },
  "1.3": (reader) =>
    `MemoryMapped(${u32le.decode(reader)},${range(u64le.decode(reader), u64le.decode(reader))})`,
  "1.4": (reader) => `VenHw(${readGuid(reader)})`,
  "2.1": (reader) => acpi(u32le.decode(reader), u32le.decode(reader)),
  "3.2": (reader) => `Scsi(${u16le.decode(reader)},${u16le.decode(reader)})`,
  "3.5": (reader) => `USB(${reader.u8()},${reader.u8()})`,
  "3.11": (reader) => {
    const address = reader.bytes(32).subarray(0, 6);
    return `MAC(${Array.from(address, (byte) => byte.toString(16).padStart(2, "0")).join(":")})`;
  },
  "3.12": (reader) => `IPv4(${reader.bytes(8).subarray(4).join(".")})`,
  "3.18": (reader) => `Sata(${u16le.decode(reader)},${u16le.decode(reader)})`,
  "3.23": (reader) => `NVMe(${u32le.decode(reader)})`,
  "3.24": (reader) => `Uri(${new TextDecoder().decode(reader.bytes(reader.left))})`,
  "4.1": hardDrive,
  "4.2": (reader) => `CDROM(${u32le.decode(reader)})`,
  "4.3": (reader) => `VenMedia(${readGuid(reader)})`,
  "4.4": (reader) => `File(${ucs2(reader.bytes(reader.left))})`,
  "4.6": (reader) => `FvFile(${readGuid(reader)})`,
  "4.7": (reader) => `Fv(${readGuid(reader)})`,
  "5.1": (reader) => {
    reader.bytes(4);
    return `BBS(${new TextDecoder("latin1").decode(reader.bytes(reader.left)).split("\0", 1)[0]})`;
  },
};

function pathPart(type: number, kind: number, bytes: Uint8Array): string {
  const part = PARTS[`${type}.${kind}`];
  if (part !== undefined) return part(new Reader(bytes));
  return `Path(${type},${kind},${bytes.length} bytes)`;
}

const hexNumber = (value: number | bigint) => `0x${value.toString(16)}`;
const range = (from: bigint, to: bigint) => `${hexNumber(from)}-${hexNumber(to)}`;

/** EISA identifiers: "PNP0a03" is the root of PCI buses. */
function acpi(id: number, unit: number): string {
  const root: Readonly<Record<number, string>> = { 0x0a0341d0: "PciRoot", 0x0a0841d0: "PcieRoot" };
  return root[id] === undefined ? `Acpi(${hexNumber(id)},${unit})` : `${root[id]}(${unit})`;
}

function hardDrive(reader: Reader): string {
  const number = u32le.decode(reader);
  const start = u64le.decode(reader);
  const size = u64le.decode(reader);
  const signature = reader.bytes(16);
  const format = reader.u8();
  const kind = format === 2 ? "GPT" : "MBR";
  const name = format === 2
    ? readGuid(new Reader(signature))
    : hexNumber(new DataView(signature.buffer).getUint32(0, true));
  return `HD(${number},${kind},${name},${hexNumber(start)},${hexNumber(size)})`;
}
