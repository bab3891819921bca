// Messages that somebody has copied as hex digits: a message to a line, or the rows of a dump with
// its offsets and its text column. What begins with '#' is a remark.

import { type CapturedMessage, type CaptureReader, stop } from "./captured.ts";
import type { Input } from "./input.ts";
import { directionOf, sizeInHeader } from "./messages.ts";
import { MESSAGE_MAX } from "./messages.ts";

/** A message of the longest kind in the widest notation, "0x80, ". */
const LINE_MAX = 6 * MESSAGE_MAX + 1024;

/** "12:", "00000010  "; then the digits. */
const OFFSET = /^(?:0x)?([0-9a-fA-F]{2,16})(?:: ?|\s\s+|\t)/;
const PLAIN_OFFSET = /^([0-9a-fA-F]{4,16}) /;
/** "<", "->", "command:" and what else people put in front of a message. */
const MARK = /^(?:([<>]|->|<-|=>|<=)\s*|([A-Za-z][A-Za-z_ ]{1,30}):\s*)/;

/** A row of digits, and what is known of it. */
interface Row {
  readonly bytes: Uint8Array;
  /** Where in its message it says that it stands. */
  readonly offset: number | undefined;
  readonly direction: CapturedMessage["direction"] | undefined;
}

export function* readHexLines(input: Input): CaptureReader {
  let rows: Row[] = [];
  let size = 0;
  let begin = 0;
  let isAwaited = false;
  const whole = (): CapturedMessage => {
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const row of rows) {
      bytes.set(row.bytes, at);
      at += row.bytes.length;
    }
    const direction = rows[0]?.direction ?? directionOf(bytes, isAwaited);
    isAwaited = direction === "command";
    rows = [];
    size = 0;
    return { kind: "message", direction, bytes };
  };
  for (let line = 1;; line++) {
    const text = input.line(LINE_MAX);
    if (text === "long") {
      if (size > 0) yield whole();
      return yield stop(`line ${line}`, "the line is too long for a message");
    }
    const isBlank = text === undefined || /^\s*(#.*)?$/.test(text);
    const row = isBlank ? undefined : rowIn(text, size);
    // What is not whole ends with a blank line, a new message's offset, another direction.
    const goesOn = row !== undefined && row.offset !== 0 && row.direction === undefined;
    if (size > 0 && !goesOn) {
      const announced = announcedBy(rows);
      const there = size;
      yield whole();
      if (announced !== undefined && there < announced) {
        const reason = `${there} of a message's ${announced} bytes are there`;
        const last = text === undefined;
        yield { kind: "damage", where: `line ${begin}`, reason, last };
      }
    }
    if (text === undefined) return;
    if (isBlank) continue;
    if (row === undefined) {
      if (size > 0) yield whole();
      return yield stop(`line ${line}`, `no hex digits: "${text.slice(0, 40)}"`);
    }
    if (size === 0) begin = line;
    rows.push(row);
    size += row.bytes.length;
    if (size > MESSAGE_MAX) {
      yield whole();
      return yield stop(`line ${line}`, "a message goes on and on");
    }
    const announced = announcedBy(rows);
    if (announced === undefined ? row.offset === undefined : size >= announced) yield whole();
  }
}

/** The size in the header of the message that begins with these rows. */
function announcedBy(rows: readonly Row[]): number | undefined {
  const first = rows[0]?.bytes ?? new Uint8Array();
  if (first.length >= 6 || rows.length < 2) return sizeInHeader(first);
  return sizeInHeader(Uint8Array.from(rows.slice(0, 6).flatMap(({ bytes }) => [...bytes])));
}

/** The digits of a line; `there` bytes of its message were before it. */
export function rowIn(line: string, there: number): Row | undefined {
  const mark = MARK.exec(line.trimStart());
  const direction = mark === null ? undefined : directionSaid(mark[1] ?? mark[2] ?? "");
  // A word that says nothing may still be digits: "face: ".
  const marked = mark !== null && direction !== undefined;
  let text = marked ? line.trimStart().slice(mark[0].length) : line.trim();
  const bar = text.indexOf("|");
  if (bar >= 0) text = text.slice(0, bar);
  let offset: number | undefined;
  const found = OFFSET.exec(text) ?? PLAIN_OFFSET.exec(text);
  if (found !== null && parseInt(found[1]!, 16) === there) {
    offset = there;
    text = text.slice(found[0].length);
    // What stands behind two spaces is the text column, but for a gap after eight bytes.
    if (bar < 0 && found[0].includes(":")) text = text.trimStart().split(/\s\s/, 1)[0]!;
  }
  const bytes = bytesIn(text);
  return bytes === undefined ? undefined : { bytes, offset, direction };
}

function directionSaid(mark: string): CapturedMessage["direction"] | undefined {
  if (/^(>|->|=>)$/.test(mark) || /\b(command|cmd|request|sent|send|write)\b/i.test(mark)) {
    return "command";
  }
  if (/^(<|<-|<=)$/.test(mark) || /\b(response|rsp|reply|received|recv|read)\b/i.test(mark)) {
    return "response";
  }
  return undefined;
}

/** Digits with or without spaces, colons, commas and "0x" between them. */
function bytesIn(text: string): Uint8Array | undefined {
  const digits = text.replace(/0x/gi, " ").replace(/[\s:,;-]+/g, "");
  if (digits.length === 0 || digits.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(digits)) {
    return undefined;
  }
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  }
  return bytes;
}
