// The dumps in a log of ours or of the C program: "SWTPM_IO_Read: length 12" and rows of digits behind
// the same prefix. All other lines are passed over.

import type { Captured, CaptureReader, Damage } from "./captured.ts";
import { stop } from "./captured.ts";
import type { Input } from "./input.ts";
import { MESSAGE_MAX } from "./messages.ts";

/** What can follow a prefix is short; libtpms' own lines are, too. */
export const LOG_LINE_MAX = 64 * 1024;

const HEAD = /(SWTPM_IO_Read|SWTPM_IO_Write|Ctrl Cmd|Ctrl Rsp): length (\d+)\s*$/;
const ROW = /^(?:[0-9A-Fa-f]{2} )*[0-9A-Fa-f]{2} ?$/;
const ROW_WIDTH = 16;
/** Control messages are dumped up to here. */
const CONTROL_DUMP_MAX = 1024;

const KINDS: Readonly<
  Record<string, Pick<Captured & { direction: string }, "kind" | "direction">>
> = {
  "SWTPM_IO_Read": { kind: "message", direction: "command" },
  "SWTPM_IO_Write": { kind: "message", direction: "response" },
  "Ctrl Cmd": { kind: "control", direction: "command" },
  "Ctrl Rsp": { kind: "control", direction: "response" },
};

/** A dump whose rows are being read. */
interface Dump {
  readonly what: string;
  /** Columns before each row. */
  readonly indent: number;
  readonly line: number;
  readonly size: number;
  readonly bytes: number[];
}

export function* readLogDumps(input: Input): CaptureReader {
  let dump: Dump | undefined;
  let found = 0;
  for (let line = 1;; line++) {
    const text = input.line(LOG_LINE_MAX);
    if (text === "long") return yield stop(`line ${line}`, "the line is too long for a log's");
    if (text !== undefined && dump !== undefined && addRow(dump, text.slice(dump.indent))) {
      if (dump.bytes.length === dump.size) {
        yield captured(dump);
        dump = undefined;
      }
      continue;
    }
    if (dump !== undefined) {
      if (dump.bytes.length > 0) yield captured(dump);
      yield incomplete(dump, text === undefined);
      dump = undefined;
    }
    if (text === undefined) break;
    const head = HEAD.exec(text);
    if (head === null) continue;
    found++;
    const [, what = "", length] = head;
    const size = Number(length);
    if (size > MESSAGE_MAX) {
      yield { ...stop(`line ${line}`, `${size} bytes are too many for a message`), last: false };
      continue;
    }
    const max = what.startsWith("Ctrl") ? CONTROL_DUMP_MAX : MESSAGE_MAX;
    dump = { what, indent: head.index, line, size: Math.min(size, max), bytes: [] };
    if (dump.size === 0) {
      yield captured(dump);
      dump = undefined;
    }
  }
  if (found === 0) {
    yield stop("the end", "there was no TPM message: is it a log at level 2 or more?");
  }
}

/** Takes a row's bytes; false for a line that is none, or not the next one. */
function addRow(dump: Dump, row: string): boolean {
  if (!ROW.test(row)) return false;
  const digits = row.trimEnd().split(" ");
  if (digits.length !== Math.min(ROW_WIDTH, dump.size - dump.bytes.length)) return false;
  for (const pair of digits) dump.bytes.push(parseInt(pair, 16));
  return true;
}

function captured({ what, bytes }: Dump): Captured {
  return { ...KINDS[what]!, bytes: Uint8Array.from(bytes) } as Captured;
}

/** A message whose rows end too early: lines were lost, or the log was cut off. */
function incomplete({ line, size, bytes }: Dump, last: boolean): Damage {
  const reason = `${bytes.length} of a message's ${size} bytes are there`;
  return { kind: "damage", where: `line ${line}`, reason, last };
}
