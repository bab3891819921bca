// Where a command names handles and sessions: in its handle area and, where it has one, in its
// authorization area. Bounds are checked, meanings are not. One object serves all commands.
import { struct, u16, u32, u8 } from "../wire/codec.ts";
import { Tpm2 } from "../wire/codes.ts";
import { commandHeader } from "../wire/tpm.ts";
import { isHeldType, isSessionType } from "./handle_types.ts";

/** Where the first handle stands, of commands and of responses that have one. */
export const HANDLES_AT = commandHeader.size;

export const tagAt = commandHeader.reader("tag");
export const sizeAt = commandHeader.reader("size");
export const codeAt = commandHeader.reader("code");
export const handleAt = u32.reader(0);

/** Before the sessions of a command (TPM 2.0 Library Part 1, 18.4). */
const areaHead = struct("authorization area", { size: u32 });
const areaSizeAt = areaHead.reader("size");
const lengthAt = u16.reader(0);
const attributesAt = u8.reader(0);
const CONTINUE_SESSION = 1;

/** No command names more, of either kind. */
const NAMED_MAX = 3;

export class Named {
  readonly handles = new Uint32Array(NAMED_MAX);
  handleCount = 0;
  /** The sessions of the authorization area, passwords included. */
  readonly sessions = new Uint32Array(NAMED_MAX);
  /** Which of those are there after the command. */
  readonly continues = new Uint8Array(NAMED_MAX);
  sessionCount = 0;
  /** Whether anything that it names may be somebody's, or takes a slot. */
  namesHeld = false;

  /**
   * Looks at a command whose header is whole. What is cut short ends there: the TPM refuses it
   * before it does anything, and so what is named behind does not matter.
   */
  read(bytes: Uint8Array, size: number, handleCount: number): void {
    this.handleCount = 0;
    this.sessionCount = 0;
    this.namesHeld = false;
    const end = HANDLES_AT + handleCount * u32.size;
    for (let at = HANDLES_AT; at < end && at + u32.size <= size; at += u32.size) {
      const handle = handleAt(bytes, at);
      this.handles[this.handleCount++] = handle;
      this.namesHeld ||= isHeldType(handle >>> 24);
    }
    if (tagAt(bytes, 0) === Tpm2.ST_SESSIONS && end + areaHead.size <= size) {
      this.#readSessions(bytes, size, end);
    }
  }

  #readSessions(bytes: Uint8Array, size: number, at: number): void {
    const end = Math.min(size, at + areaHead.size + areaSizeAt(bytes, at));
    let from = at + areaHead.size;
    while (this.sessionCount < NAMED_MAX && from + u32.size <= end) {
      const nonce = from + u32.size;
      const handle = handleAt(bytes, from);
      this.sessions[this.sessionCount] = handle;
      this.namesHeld ||= isSessionType(handle >>> 24);
      this.continues[this.sessionCount++] = 1;
      if (nonce + u16.size > end) return;
      const flags = nonce + u16.size + lengthAt(bytes, nonce);
      if (flags + u8.size + u16.size > end) return;
      this.continues[this.sessionCount - 1] = attributesAt(bytes, flags) & CONTINUE_SESSION;
      from = flags + u8.size + u16.size + lengthAt(bytes, flags + u8.size);
    }
  }
}
