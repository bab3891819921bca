// Where a command names objects and sessions, and whether its answer does: what the TPM says of its
// commands (TPMA_CC) and the few that are special. Bounds are checked, meanings are not.
import { commandHeader } from "../wire/tpm.ts";
import { Tpm2 } from "../wire/codes.ts";
import { struct, u16, u32, u8 } from "../wire/codec.ts";

/** TPMA_CC: bits of a command's attributes (TPM 2.0 Library Part 2, 8.9). */
const FLUSHED = 1 << 24;
const HANDLES_SHIFT = 25;
const HANDLES_MASK = 7;
const RETURNS_HANDLE = 1 << 28;
const CODE_MASK = 0xffff;
const VENDOR = 0x2000_0000;

const CC_SEQUENCE_COMPLETE = 0x13e;
const CC_EVENT_SEQUENCE_COMPLETE = 0x185;

/** What is to be known of a command. */
export interface Shape {
  handles: number;
  returnsHandle: boolean;
  /** Which of its handles is gone after a success. */
  flushes: number | undefined;
}

/** The commands of a TPM, of what GetCapability(COMMANDS) answers. */
export function shapesOf(attributes: Iterable<number>): Map<number, Shape> {
  const shapes = new Map<number, Shape>();
  for (const bits of attributes) {
    const code = (bits & (CODE_MASK | VENDOR)) >>> 0;
    const flushed = (bits & FLUSHED) !== 0;
    shapes.set(code, {
      handles: (bits >>> HANDLES_SHIFT) & HANDLES_MASK,
      returnsHandle: (bits & RETURNS_HANDLE) !== 0,
      // The sequence is the second of EventSequenceComplete's two.
      flushes: code === CC_EVENT_SEQUENCE_COMPLETE
        ? 1
        : flushed || code === CC_SEQUENCE_COMPLETE
        ? 0
        : undefined,
    });
  }
  const flush = shapes.get(Tpm2.CC_FlushContext);
  // Its handle is a parameter, which stands where a handle would.
  if (flush !== undefined) shapes.set(Tpm2.CC_FlushContext, { ...flush, handles: 1, flushes: 0 });
  return shapes;
}

/** A session that a command is authorised by. */
export interface UsedSession {
  handle: number;
  /** It is there after the command. */
  continues: boolean;
}

export interface Named {
  code: number;
  /** Handles of the handle area; the first stands at {@linkcode HANDLES_AT}. */
  handles: number[];
  sessions: UsedSession[];
}

/** Where the first handle stands, of commands and of responses that have one. */
export const HANDLES_AT = commandHeader.size;

const tagAt = commandHeader.reader("tag");
const codeAt = commandHeader.reader("code");
const handle = struct("handle", { handle: u32 });
const handleAt = handle.reader("handle");
const areaSizeAt = struct("size of the authorization area", { size: u32 }).reader("size");
const AREA_HEAD = 4;
const sizedAt = struct("size", { size: u16 }).reader("size");
const SIZED_HEAD = 2;
const attributesAt = struct("session's attributes", { attributes: u8 }).reader("attributes");
const CONTINUE_SESSION = 1;

/**
 * What a command names; undefined where its bytes end before, or its code is none of the TPM's: it
 * names nothing then that the TPM would look at, and is refused by the TPM itself.
 */
export function namedIn(bytes: Uint8Array, shapes: ReadonlyMap<number, Shape>): Named | undefined {
  if (bytes.length < commandHeader.size) return undefined;
  const code = codeAt(bytes, 0);
  const shape = shapes.get(code);
  if (shape === undefined) return undefined;
  const end = HANDLES_AT + shape.handles * handle.size;
  if (bytes.length < end) return undefined;
  const handles = Array.from(
    { length: shape.handles },
    (_, index) => handleAt(bytes, HANDLES_AT + index * handle.size),
  );
  if (tagAt(bytes, 0) !== Tpm2.ST_SESSIONS) return { code, handles, sessions: [] };
  const sessions = sessionsIn(bytes, end);
  return sessions && { code, handles, sessions };
}

/** The authorization area that begins at `at`; undefined where it is not whole. */
function sessionsIn(bytes: Uint8Array, at: number): UsedSession[] | undefined {
  if (bytes.length < at + AREA_HEAD) return undefined;
  const end = at + AREA_HEAD + areaSizeAt(bytes, at);
  if (end > bytes.length) return undefined;
  const sessions: UsedSession[] = [];
  for (let from = at + AREA_HEAD; from < end;) {
    const nonceAt = from + handle.size;
    if (nonceAt + SIZED_HEAD > end) return undefined;
    const flagsAt = nonceAt + SIZED_HEAD + sizedAt(bytes, nonceAt);
    if (flagsAt + 1 + SIZED_HEAD > end) return undefined;
    const next = flagsAt + 1 + SIZED_HEAD + sizedAt(bytes, flagsAt + 1);
    if (next > end) return undefined;
    const continues = (attributesAt(bytes, flagsAt) & CONTINUE_SESSION) !== 0;
    sessions.push({ handle: handleAt(bytes, from), continues });
    from = next;
  }
  return sessions;
}

/** Puts another handle in the place of the handle area's `index`th. */
export function putHandle(bytes: Uint8Array, index: number, value: number): void {
  handle.write(bytes, HANDLES_AT + index * handle.size, { handle: value });
}
