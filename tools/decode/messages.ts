// Where one TPM message ends and the next one begins: in a stream of bytes, and in hex digits that
// somebody has copied. Also what frames messages for a simulator's clients.

import { TPM_MESSAGE_TAG } from "../../tcg/tpm12/constants.ts";
import { TPM_ST } from "../../tcg/tpm2/constants.ts";
import { u16, u32 } from "../../wire/codec.ts";
import {
  commandHeader,
  SEND_COMMAND,
  sendCommandPrefix,
  sendCommandResponse,
  sendCommandTrailer,
} from "../../wire/tpm.ts";

/** More than any TPM takes or gives; what claims to be longer is no message. */
export const MESSAGE_MAX = 64 * 1024;

const { RQU_COMMAND, RQU_AUTH1_COMMAND, RQU_AUTH2_COMMAND } = TPM_MESSAGE_TAG;
const { RSP_COMMAND, RSP_AUTH1_COMMAND, RSP_AUTH2_COMMAND } = TPM_MESSAGE_TAG;
const COMMAND_TAGS: ReadonlySet<number> = new Set([
  RQU_COMMAND,
  RQU_AUTH1_COMMAND,
  RQU_AUTH2_COMMAND,
]);
const RESPONSE_TAGS: ReadonlySet<number> = new Set([
  RSP_COMMAND,
  RSP_AUTH1_COMMAND,
  RSP_AUTH2_COMMAND,
]);
/** A TPM 2 answers with the tags that it is asked with. */
const TAGS: ReadonlySet<number> = new Set([
  ...COMMAND_TAGS,
  ...RESPONSE_TAGS,
  TPM_ST.NO_SESSIONS,
  TPM_ST.SESSIONS,
]);

/** Numbers that the simulator takes for other things than a command: it answers with a zero. */
const OTHER_WORDS_MAX = 0x20;

/** The bytes of a message that tell its size. */
const SIZE_END = u16.size + u32.size;

/** Whether bytes begin as a message does: with one of the tags. */
export function beginsWithTag(bytes: Uint8Array): boolean {
  return bytes.length >= u16.size && TAGS.has(u16.read(bytes, 0));
}

/** Whether a stream that begins so is one of TPM messages. */
export function looksLikeMessages(bytes: Uint8Array): boolean {
  if (bytes.length < u32.size) return false;
  if (u16.read(bytes, 0) === 0) return u32.read(bytes, 0) === SEND_COMMAND;
  return beginsWithTag(bytes) && (bytes.length < SIZE_END || sizeInHeader(bytes) !== undefined);
}

/** The size in the header of a message that has one: a number that can be right. */
export function sizeInHeader(bytes: Uint8Array): number | undefined {
  if (bytes.length < SIZE_END || !beginsWithTag(bytes)) return undefined;
  const size = u32.read(bytes, u16.size);
  return size >= commandHeader.size && size <= MESSAGE_MAX ? size : undefined;
}

/** How a stream goes on: with a message, with what is none, or nobody can tell yet. */
export type Next =
  | { readonly kind: "message"; readonly from: number; readonly to: number; locality?: number }
  | { readonly kind: "framing"; readonly to: number }
  | { readonly kind: "more" }
  | { readonly kind: "unknown" };

/** What a stream of one direction begins with. */
export function nextIn(bytes: Uint8Array, direction: "command" | "response"): Next {
  if (bytes.length < u32.size) return { kind: "more" };
  if (u16.read(bytes, 0) === 0) {
    return direction === "command" ? prefixed(bytes) : announced(bytes);
  }
  if (!beginsWithTag(bytes)) return { kind: "unknown" };
  if (bytes.length < SIZE_END) return { kind: "more" };
  const size = sizeInHeader(bytes);
  if (size === undefined) return { kind: "unknown" };
  return size > bytes.length ? { kind: "more" } : { kind: "message", from: 0, to: size };
}

function prefixed(bytes: Uint8Array): Next {
  const word = u32.read(bytes, 0);
  if (word !== SEND_COMMAND) {
    return word <= OTHER_WORDS_MAX ? { kind: "framing", to: u32.size } : { kind: "unknown" };
  }
  const from = sendCommandPrefix.size;
  if (bytes.length < from) return { kind: "more" };
  const { size, locality } = sendCommandPrefix.decode(bytes.subarray(0, from));
  if (size > MESSAGE_MAX) return { kind: "unknown" };
  const to = from + size;
  return to > bytes.length ? { kind: "more" } : { kind: "message", from, to, locality };
}

/** A response behind its size; a zero stands for "done" and behind each response. */
function announced(bytes: Uint8Array): Next {
  const from = sendCommandResponse.size;
  const { size } = sendCommandResponse.decode(bytes.subarray(0, from));
  if (size === 0) return { kind: "framing", to: sendCommandTrailer.size };
  if (size > MESSAGE_MAX) return { kind: "unknown" };
  const to = from + size;
  return to > bytes.length ? { kind: "more" } : { kind: "message", from, to };
}

/**
 * Whether a message goes to the TPM or comes from it. A response that tells of a failure and a
 * command without handles and parameters may be the same bytes: it depends on what came before.
 */
export function directionOf(bytes: Uint8Array, isAwaited: boolean): "command" | "response" {
  const next = isAwaited ? "response" : "command";
  if (bytes.length < commandHeader.size) return next;
  const { tag, code } = commandHeader.decode(bytes.subarray(0, commandHeader.size));
  if (COMMAND_TAGS.has(tag)) return "command";
  if (RESPONSE_TAGS.has(tag) || code === 0) return "response";
  // A failure has no sessions, no handles and no parameters.
  const isFailure = tag === TPM_ST.NO_SESSIONS && bytes.length === commandHeader.size;
  return isFailure ? next : "command";
}
