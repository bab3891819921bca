// What an event's data say, by its type (TCG PC Client Platform Firmware Profile, 10.2 and 10.4). Data
// that are not as their type has them are kept as bytes, or as the text that they are.

import { WireError } from "../../wire/codec.ts";
import { decode } from "../kernel/codec.ts";
import { u16le, u32le, u64le } from "../kernel/little_endian.ts";
import { Reader } from "../kernel/reader.ts";
import {
  countSignatures,
  devicePath,
  type LoadOption,
  readGuid,
  readLoadOption,
  readSize,
  ucs2,
} from "./efi.ts";
import { EV } from "./event_types.ts";
import { startsWith, TCG_EfiSpecIDEvent } from "./log.ts";

/** A part of a disk. */
export interface Partition {
  readonly type: string;
  readonly id: string;
  readonly first: bigint;
  readonly last: bigint;
  readonly name: string;
}

export type EventData =
  | {
    readonly kind: "specId";
    readonly version: string;
    readonly errata: number;
    readonly platformClass: number;
    readonly algorithms: readonly { readonly algorithm: number; readonly size: number }[];
  }
  | { readonly kind: "startupLocality"; readonly locality: number }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "guid"; readonly guid: string }
  | { readonly kind: "separator"; readonly value: number }
  | {
    readonly kind: "variable";
    readonly vendor: string;
    readonly name: string;
    readonly data: Uint8Array;
    readonly holds: VariableContent | undefined;
  }
  | {
    readonly kind: "image";
    readonly address: bigint;
    readonly size: bigint;
    readonly path: string;
  }
  | {
    readonly kind: "partitions";
    readonly disk: string;
    readonly partitions: readonly Partition[];
  }
  | {
    readonly kind: "memory";
    readonly description: string | undefined;
    readonly address: bigint;
    readonly size: bigint;
  }
  | {
    readonly kind: "tables";
    readonly description: string | undefined;
    readonly tables: readonly { readonly guid: string; readonly address: bigint }[];
  }
  | {
    readonly kind: "tagged";
    readonly tag: number;
    readonly text: string | undefined;
    readonly data: Uint8Array;
  }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

/** What is known of the content of some variables. */
export type VariableContent =
  | { readonly kind: "switch"; readonly on: boolean }
  | { readonly kind: "order"; readonly order: readonly number[] }
  | { readonly kind: "option"; readonly option: LoadOption }
  | { readonly kind: "signatures"; readonly lists: number; readonly entries: number };

type Read = (reader: Reader, bytes: Uint8Array) => EventData;

const READERS: Readonly<Record<number, Read>> = {
  [EV.NO_ACTION]: noAction,
  [EV.SEPARATOR]: (reader) => ({ kind: "separator", value: u32le.decode(reader) }),
  [EV.S_CRTM_VERSION]: (reader, bytes) => textIn(bytes) ?? { kind: "guid", guid: readGuid(reader) },
  [EV.POST_CODE]: (reader, bytes) => textIn(bytes) ?? memory(reader, undefined),
  [EV.POST_CODE2]: (reader) => memory(reader, described(reader)),
  [EV.EVENT_TAG]: tagged,
  [EV.EFI_VARIABLE_DRIVER_CONFIG]: variable,
  [EV.EFI_VARIABLE_BOOT]: variable,
  [EV.EFI_VARIABLE_BOOT2]: variable,
  [EV.EFI_VARIABLE_AUTHORITY]: variable,
  [EV.EFI_BOOT_SERVICES_APPLICATION]: image,
  [EV.EFI_BOOT_SERVICES_DRIVER]: image,
  [EV.EFI_RUNTIME_SERVICES_DRIVER]: image,
  [EV.EFI_GPT_EVENT]: partitions,
  [EV.EFI_GPT_EVENT2]: partitions,
  [EV.EFI_PLATFORM_FIRMWARE_BLOB]: (reader) => memory(reader, undefined),
  [EV.EFI_PLATFORM_FIRMWARE_BLOB2]: (reader) => memory(reader, described(reader)),
  [EV.EFI_HANDOFF_TABLES]: (reader) => tables(reader, undefined),
  [EV.EFI_HANDOFF_TABLES2]: (reader) => tables(reader, described(reader)),
};

/** What an event's data say. */
export function eventData(eventType: number, bytes: Uint8Array): EventData {
  try {
    const reader = new Reader(bytes);
    const data = READERS[eventType]?.(reader, bytes);
    if (data !== undefined) return data;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  return textIn(bytes) ?? { kind: "bytes", bytes };
}

const PRINTABLE = /^[\x20-\x7e\n\r\t\u00a0-\uffef]*$/;

/** Data that are a text, of one or two bytes a letter, with or without a zero at its end. */
function textIn(bytes: Uint8Array): Extract<EventData, { kind: "text" }> | undefined {
  // An empty text of two bytes a letter is a zero.
  if (bytes.length <= 2 && bytes.every((byte) => byte === 0)) return { kind: "text", text: "" };
  const isWide = bytes.length % 2 === 0 && bytes.length >= 4 && bytes[1] === 0;
  const decoder = isWide ? new TextDecoder("utf-16le") : new TextDecoder();
  const text = decoder.decode(bytes).replace(/\0+$/, "");
  return text !== "" && PRINTABLE.test(text) && !text.includes("\ufffd")
    ? { kind: "text", text }
    : undefined;
}

function noAction(reader: Reader, bytes: Uint8Array): EventData {
  if (startsWith(bytes, "Spec ID Event03")) {
    const { digestSizes, specVersionMajor, specVersionMinor, specErrata, platformClass } = decode(
      TCG_EfiSpecIDEvent,
      bytes,
    );
    return {
      kind: "specId",
      version: `${specVersionMajor}.${specVersionMinor}`,
      errata: specErrata,
      platformClass,
      algorithms: digestSizes.map(({ algorithmId: algorithm, digestSize: size }) => ({
        algorithm,
        size,
      })),
    };
  }
  if (startsWith(bytes, "StartupLocality\0")) {
    reader.bytes(16);
    return { kind: "startupLocality", locality: reader.u8() };
  }
  const signature = new TextDecoder("latin1").decode(bytes.subarray(0, 16));
  const name = signature.split("\0", 1)[0]!;
  return /^[\x20-\x7e]{3,}$/.test(name) ? { kind: "text", text: name } : { kind: "bytes", bytes };
}

/** A description behind its length in one byte. */
function described(reader: Reader): string {
  return new TextDecoder("latin1").decode(reader.bytes(reader.u8())).replace(/\0+$/, "");
}

function memory(reader: Reader, description: string | undefined): EventData {
  const address = u64le.decode(reader);
  const size = u64le.decode(reader);
  reader.finish();
  return { kind: "memory", description, address, size };
}

function tables(reader: Reader, description: string | undefined): EventData {
  const at = reader.offset;
  const count = u64le.decode(reader);
  if (count * 24n > BigInt(reader.left)) reader.fail(`${count} tables announced`, at);
  const tables = Array.from({ length: Number(count) }, () => {
    const guid = readGuid(reader);
    return { guid, address: u64le.decode(reader) };
  });
  return { kind: "tables", description, tables };
}

function tagged(reader: Reader): EventData {
  const tag = u32le.decode(reader);
  const at = reader.offset;
  const size = u32le.decode(reader);
  if (size > reader.left) reader.fail(`${size} bytes announced, ${reader.left} left`, at);
  const data = reader.bytes(size);
  return { kind: "tagged", tag, text: textIn(data)?.text, data };
}

function image(reader: Reader): EventData {
  const address = u64le.decode(reader);
  const size = u64le.decode(reader);
  u64le.decode(reader); // where it would like to be
  const path = devicePath(reader.bytes(readSize(reader)));
  return { kind: "image", address, size, path };
}

/** UEFI_VARIABLE_DATA. */
function variable(reader: Reader): EventData {
  const vendor = readGuid(reader);
  const at = reader.offset;
  const letters = u64le.decode(reader);
  const size = u64le.decode(reader);
  if (letters * 2n + size > BigInt(reader.left)) {
    reader.fail(`${letters} letters and ${size} bytes announced, ${reader.left} left`, at);
  }
  const name = ucs2(reader.bytes(2 * Number(letters)));
  const data = reader.bytes(Number(size));
  return { kind: "variable", vendor, name, data, holds: content(name, data) };
}

function content(name: string, data: Uint8Array): VariableContent | undefined {
  try {
    if (/^(SecureBoot|SetupMode|AuditMode|DeployedMode)$/.test(name) && data.length === 1) {
      return { kind: "switch", on: data[0] !== 0 };
    }
    if (/^(Boot|Driver|SysPrep)Order$/.test(name)) return { kind: "order", order: numbers(data) };
    if (/^(Boot|Driver|SysPrep)[0-9A-F]{4}$/.test(name)) {
      return { kind: "option", option: readLoadOption(data) };
    }
    if (/^(PK|KEK|db|dbx|dbt|dbr)$/.test(name)) {
      return { kind: "signatures", ...countSignatures(data) };
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  return undefined;
}

function numbers(data: Uint8Array): number[] {
  const reader = new Reader(data);
  const numbers: number[] = [];
  while (reader.left > 0) numbers.push(u16le.decode(reader));
  return numbers;
}

const GPT_HEADER_SIZE = 92;
const GPT_DISK_AT = 56;
/** The smallest entry that UEFI allows. */
const GPT_ENTRY_SIZE = 128;

/** UEFI_GPT_DATA: the table's header, then the entries that are in use. */
function partitions(reader: Reader): EventData {
  const header = reader.bytes(GPT_HEADER_SIZE);
  const entrySize = new DataView(header.buffer).getUint32(84, true);
  const disk = readGuid(new Reader(header, GPT_DISK_AT));
  const at = reader.offset;
  const count = u64le.decode(reader);
  if (entrySize < GPT_ENTRY_SIZE || count * BigInt(entrySize) > BigInt(reader.left)) {
    reader.fail(`${count} partitions announced`, at);
  }
  const partitions = Array.from({ length: Number(count) }, () => {
    const entry = new Reader(reader.bytes(entrySize));
    const type = readGuid(entry);
    const id = readGuid(entry);
    const first = u64le.decode(entry);
    const last = u64le.decode(entry);
    entry.bytes(8); // attributes
    return { type, id, first, last, name: ucs2(entry.bytes(72)) };
  });
  return { kind: "partitions", disk, partitions };
}
