// Events of a firmware's log in words, a line for each and its digests below it.

import type { LoadOption } from "../../tcg/event_log/efi.ts";
import { digestsFit } from "../../tcg/event_log/digests_of_data.ts";
import { type EventData, eventData, type VariableContent } from "../../tcg/event_log/event_data.ts";
import { eventName } from "../../tcg/event_log/event_types.ts";
import type { LoggedEvent } from "../../tcg/event_log/log.ts";
import type { Bank } from "../../tcg/event_log/replay.ts";
import { TPM_ALG_ID } from "../../tcg/tpm2/algorithms.ts";
import { hex, printable, sizeText } from "../../trace/hex.ts";
import type { Palette } from "../../trace/text.ts";

/** Bytes that are shown of data whose meaning is not known. */
const SHOWN_MAX = 32;

/** GUIDs that firmware and operating systems agree on. */
const GUIDS: Readonly<Record<string, string>> = {
  "8be4df61-93ca-11d2-aa0d-00e098032b8c": "EFI global",
  "d719b2cb-3d3a-4596-a3bc-dad00e67656f": "image security",
  "605dab50-e046-4300-abb6-3dd810dd8b23": "shim",
  "4c19049f-4137-4dd3-9c10-8b97a83ffdfa": "memory type information",
  "8868e871-e4f1-11d3-bc22-0080c73c8881": "ACPI 2.0",
  "eb9d2d30-2d88-11d3-9a16-0090273fc14d": "ACPI 1.0",
  "eb9d2d31-2d88-11d3-9a16-0090273fc14d": "SMBIOS",
  "f2fd1544-9794-4a2c-992e-e5bbcf20e394": "SMBIOS 3",
  "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI system",
  "0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux",
  "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "basic data",
  "21686148-6449-6e6f-744e-656564454649": "BIOS boot",
};

export function guidText(guid: string): string {
  return GUIDS[guid] ?? guid;
}

/** "sha256"; the number of an algorithm that is not known. */
export function algorithmText(algorithm: number): string {
  return TPM_ALG_ID.nameOf(algorithm)?.toLowerCase() ?? `0x${algorithm.toString(16)}`;
}

/** An event's line, and one for each of its digests. */
export function eventText(event: LoggedEvent, number: number, palette: Palette): string {
  const { pcrIndex, eventType, digests } = event;
  const words = dataText(eventData(eventType, event.event));
  const doubt = digestsFit(event)
    ? ""
    : ` ${palette.failure("the digests are not those of these data")}`;
  const where = pcrIndex === 0xffffffff ? "no PCR" : `PCR ${pcrIndex}`;
  const head = `${String(number).padStart(3)} ${where.padEnd(6)} ${
    palette.name(eventName(eventType))
  }`;
  const rows = digests.map(({ algorithm, digest }) =>
    palette.aside(`      ${algorithmText(algorithm).padEnd(8)} ${hex(digest)}`)
  );
  return [`${head}${words === "" ? "" : ` ${words}`}${doubt}`, ...rows].join("\n");
}

const address = (value: bigint) => `0x${value.toString(16)}`;

function dataText(data: EventData): string {
  switch (data.kind) {
    case "specId": {
      const algorithms = data.algorithms.map(({ algorithm }) => algorithmText(algorithm));
      return `Spec ID ${data.version}, errata ${data.errata}: ${algorithms.join(", ")}`;
    }
    case "startupLocality":
      return `TPM2_Startup came from locality ${data.locality}`;
    case "text":
      return data.text === "" ? "" : `"${printable(data.text)}"`;
    case "guid":
      return guidText(data.guid);
    case "separator":
      return separatorText(data.value);
    case "variable": {
      const vendor = guidText(data.vendor);
      return `${printable(data.name)} (${vendor}) = ${contentText(data.holds, data.data)}`;
    }
    case "image": {
      const path = data.path === "" ? "an image" : printable(data.path);
      return `${path}, ${data.size} bytes at ${address(data.address)}`;
    }
    case "partitions": {
      const partitions = data.partitions.map(({ type, first, last, name }) =>
        `${
          name === "" ? guidText(type) : `"${printable(name)}" ${guidText(type)}`
        } ${first}-${last}`
      );
      return [`disk ${data.disk}`, ...partitions].join(", ");
    }
    case "memory": {
      const what = data.description === undefined ? "" : `"${printable(data.description)}" `;
      return `${what}${data.size} bytes at ${address(data.address)}`;
    }
    case "tables": {
      const what = data.description === undefined ? [] : [`"${printable(data.description)}"`];
      const tables = data.tables.map((table) =>
        `${guidText(table.guid)} ${address(table.address)}`
      );
      return [...what, ...tables].join(", ");
    }
    case "tagged": {
      const content = data.text === undefined ? bytesText(data.data) : `"${printable(data.text)}"`;
      return `tag 0x${data.tag.toString(16)} ${content}`;
    }
    case "bytes":
      return bytesText(data.bytes);
  }
}

function separatorText(value: number): string {
  if (value === 0 || value === 0xffffffff) return `0x${value.toString(16).padStart(8, "0")}`;
  return `0x${value.toString(16).padStart(8, "0")}, which stands for an error of the firmware`;
}

function contentText(content: VariableContent | undefined, data: Uint8Array): string {
  switch (content?.kind) {
    case undefined:
      return bytesText(data);
    case "switch":
      return content.on ? "on" : "off";
    case "order":
      return content.order.map((entry) => entry.toString(16).padStart(4, "0")).join(", ");
    case "option":
      return optionText(content.option);
    case "signatures":
      return content.lists === 0
        ? "nothing"
        : `${content.entries} signatures in ${content.lists} lists, ${data.length} bytes`;
  }
}

function optionText({ active, description, path }: LoadOption): string {
  return `"${printable(description)}" ${printable(path)}${active ? "" : ", not active"}`;
}

function bytesText(bytes: Uint8Array): string {
  if (bytes.length === 0) return "nothing";
  if (bytes.length <= SHOWN_MAX) return hex(bytes);
  return `${hex(bytes.subarray(0, SHOWN_MAX))}... ${sizeText(bytes.length)}`;
}

/** The PCRs of a bank, a line for each. */
export function bankText(algorithm: number, bank: Bank): string {
  const rows = [...bank].sort(([one], [other]) => one - other).map(([pcr, value]) =>
    `  PCR ${String(pcr).padEnd(2)} ${hex(value)}`
  );
  return [`${algorithmText(algorithm)}:`, ...rows].join("\n");
}
