// Where one TPM message ends and the next one begins: in a stream of bytes, and in hex digits that
// somebody has copied. Also what frames messages for a simulator's clients.

/** More than any TPM takes or gives; what claims to be longer is no message. */
export const MESSAGE_MAX = 64 * 1024;

/** Bytes of tag, size and code. */
export const HEADER_SIZE = 10;

const TAGS_2 = [0x8001, 0x8002];
const TAGS_12 = { commands: [0xc1, 0xc2, 0xc3], responses: [0xc4, 0xc5, 0xc6] };
const TAGS: ReadonlySet<number> = new Set([...TAGS_2, ...TAGS_12.commands, ...TAGS_12.responses]);

/** What stands before a command: this number, the locality and the command's size. */
const PREFIX = { code: 8, size: 9 } as const;
/** Numbers that the simulator takes for other things than a command: it answers with a zero. */
const OTHER_CODES_MAX = 0x20;

function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

function u32(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) << 16 | u16(bytes, at + 2)) >>> 0;
}

/** Whether bytes begin as a message does: with one of the tags. */
export function beginsWithTag(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && TAGS.has(u16(bytes, 0));
}

/** Whether a stream that begins so is one of TPM messages. */
export function looksLikeMessages(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  if (u16(bytes, 0) === 0) return u32(bytes, 0) === PREFIX.code;
  return beginsWithTag(bytes) && (bytes.length < 6 || isSize(u32(bytes, 2)));
}

function isSize(size: number): boolean {
  return size >= HEADER_SIZE && size <= MESSAGE_MAX;
}

/** The size in the header of a message that has one: a number that can be right. */
export function sizeInHeader(bytes: Uint8Array): number | undefined {
  if (bytes.length < 6 || !beginsWithTag(bytes)) return undefined;
  const size = u32(bytes, 2);
  return isSize(size) ? size : undefined;
}

/** How a stream goes on: with a message, with what is none, or nobody can tell yet. */
export type Next =
  | { readonly kind: "message"; readonly from: number; readonly to: number; locality?: number }
  | { readonly kind: "framing"; readonly to: number }
  | { readonly kind: "more" }
  | { readonly kind: "unknown" };

/** What a stream of one direction begins with. */
export function nextIn(bytes: Uint8Array, direction: "command" | "response"): Next {
  if (bytes.length < 4) return { kind: "more" };
  if (u16(bytes, 0) === 0) {
    return direction === "command" ? prefixed(bytes) : announced(bytes);
  }
  if (!beginsWithTag(bytes)) return { kind: "unknown" };
  if (bytes.length < 6) return { kind: "more" };
  const size = sizeInHeader(bytes);
  if (size === undefined) return { kind: "unknown" };
  return size > bytes.length ? { kind: "more" } : { kind: "message", from: 0, to: size };
}

function prefixed(bytes: Uint8Array): Next {
  const code = u32(bytes, 0);
  if (code !== PREFIX.code) {
    return code <= OTHER_CODES_MAX ? { kind: "framing", to: 4 } : { kind: "unknown" };
  }
  if (bytes.length < PREFIX.size) return { kind: "more" };
  const size = u32(bytes, 5);
  if (size > MESSAGE_MAX) return { kind: "unknown" };
  const to = PREFIX.size + size;
  if (to > bytes.length) return { kind: "more" };
  return { kind: "message", from: PREFIX.size, to, locality: bytes[4]! };
}

/** A response behind its size; a zero stands for "done" and behind each response. */
function announced(bytes: Uint8Array): Next {
  const size = u32(bytes, 0);
  if (size === 0) return { kind: "framing", to: 4 };
  if (size > MESSAGE_MAX) return { kind: "unknown" };
  return 4 + size > bytes.length ? { kind: "more" } : { kind: "message", from: 4, to: 4 + size };
}

/**
 * Whether a message goes to the TPM or comes from it. A response that tells of a failure and a
 * command without handles and parameters may be the same bytes: it depends on what came before.
 */
export function directionOf(bytes: Uint8Array, isAwaited: boolean): "command" | "response" {
  const next = isAwaited ? "response" : "command";
  if (bytes.length < HEADER_SIZE) return next;
  const tag = u16(bytes, 0);
  if (TAGS_12.commands.includes(tag)) return "command";
  if (TAGS_12.responses.includes(tag)) return "response";
  const code = u32(bytes, 6);
  if (code === 0) return "response";
  // A failure has no sessions, no handles and no parameters.
  if (tag === TAGS_2[1] || bytes.length > HEADER_SIZE) return "command";
  return next;
}
