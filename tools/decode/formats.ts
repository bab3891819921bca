// Which format a capture has: its first bytes tell.

import { type CaptureReader, stop } from "./captured.ts";
import { readHexLines, rowIn } from "./hex_lines.ts";
import type { Input } from "./input.ts";
import { readLogDumps } from "./log_dumps.ts";
import { beginsWithTag } from "./messages.ts";
import { isPcapMagic, readPcap } from "./pcap.ts";
import { PCAPNG_MAGIC, readPcapng } from "./pcapng.ts";
import { readRawMessages } from "./raw_messages.ts";

/** As much is looked at; what is text must be so from its beginning. */
const LOOKED_AT = 4096;

/** A format, and who reads it. */
export interface Format {
  readonly name: string;
  readonly read: (input: Input) => CaptureReader;
}

/** The format of what begins with these bytes, or why it has none. */
export function formatOf(input: Input): Format | string {
  const bytes = input.peek(LOOKED_AT);
  if (bytes.length === 0) return "it is empty";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 4) {
    if (view.getUint32(0) === PCAPNG_MAGIC) return { name: "pcapng", read: readPcapng };
    if (isPcapMagic(view.getUint32(0)) || isPcapMagic(view.getUint32(0, true))) {
      return { name: "pcap", read: readPcap };
    }
  }
  if (beginsWithTag(bytes)) return { name: "messages", read: readRawMessages };
  if (isEventLog(bytes)) return "it is an event log: --event-log reads it";
  if (!isText(bytes)) return "it is neither a capture nor text";
  const text = new TextDecoder().decode(bytes);
  const first = text.split("\n").find((line) => !/^\s*(#.*)?$/.test(line)) ?? "";
  return text.length < LOOKED_AT && first === "" || isHex(first, text)
    ? { name: "hex digits", read: readHexLines }
    : { name: "log", read: readLogDumps };
}

/** A line that goes on beyond what is looked at is judged by its beginning. */
function isHex(line: string, text: string): boolean {
  if (text.endsWith(line) && text.length >= LOOKED_AT) {
    return rowIn(line.slice(0, line.length & ~1), 0) !== undefined ||
      rowIn(line.slice(0, line.lastIndexOf(" ")), 0) !== undefined;
  }
  return rowIn(line, 0) !== undefined;
}

function isText(bytes: Uint8Array): boolean {
  return !bytes.some((byte) =>
    byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x1b
  );
}

/** The first event of a log has no digest and a name: a PC client's "Spec ID Event". */
export function isEventLog(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(32, 45)) === "Spec ID Event";
}

/** Reads a capture of whatever format. */
export function* readCapture(input: Input): CaptureReader {
  const format = formatOf(input);
  if (typeof format === "string") yield stop("byte 0", format);
  else yield* format.read(input);
}
