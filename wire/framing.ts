// Where one TPM message ends in the bytes received so far: a pure function over the headers.
// When to stop waiting for the rest is the data channel's decision.
import { Tpm12, Tpm2 } from "./codes.ts";
import { comesInPieces, NO_WORDS, wordMessageSize, type Words } from "./simulator.ts";
import { commandHeader, SEND_COMMAND, sendCommandPrefix } from "./tpm.ts";

const tagAt = commandHeader.reader("tag");
const sizeAt = commandHeader.reader("size");
const wordAt = sendCommandPrefix.reader("word");

/** Fewer bytes than a command header are never handed on: there is nothing to answer to. */
export const MESSAGE_MIN = commandHeader.size;

/** Whether what stands at `at` has the tag of a TPM command; `length` bytes are there in all. */
export function hasTag(bytes: Uint8Array, at: number, length: number): boolean {
  if (length - at < 2) return false;
  const tag = tagAt(bytes, at);
  return tag === Tpm2.ST_NO_SESSIONS || tag === Tpm2.ST_SESSIONS ||
    (tag >= Tpm12.TAG_RQU_COMMAND && tag <= Tpm12.TAG_RQU_AUTH2_COMMAND);
}

/**
 * Whether what stands at `at` may be the beginning of a message: also a single byte, which is the
 * first half of a tag, and with prefixes or words up to three, which are zeros.
 */
function mayBegin(
  bytes: Uint8Array,
  at: number,
  length: number,
  prefixed: boolean,
  words: Words,
): boolean {
  if (hasTag(bytes, at, length)) return true;
  const there = length - at;
  const worded = prefixed || words.size > 0;
  if (worded && there >= 4) {
    const word = wordAt(bytes, at);
    return (prefixed && word === SEND_COMMAND) || words.has(word);
  }
  if (there === 1) return bytes[at] === 0 || bytes[at] === Tpm2.ST_NO_SESSIONS >> 8;
  return worded && bytes[at] === 0 && bytes[at + 1] === 0 && (there === 2 || bytes[at + 2] === 0);
}

/** Size of the send-command prefix at the beginning of a message of a TPM 2: 9 or 0. */
export function prefixSize(bytes: Uint8Array, length: number): number {
  if (length < MESSAGE_MIN || wordAt(bytes, 0) !== SEND_COMMAND) return 0;
  return sendCommandPrefix.size;
}

/**
 * Size of the first message in `bytes[0..length)`, of which there can be no more than `bytes` holds,
 * or how it stands with it:
 * - a positive number: that many bytes are one message;
 * - 0: more bytes should come, as the header announces them.
 *
 * The header's size decides, within reason: a size that cannot be one, or bytes behind the command
 * that cannot begin another, leave everything that came as one message, which libtpms refuses (the
 * C program treats every read so; COMPATIBILITY.md [data-split], [data-two]). Bytes that are too few
 * to tell begin another: where a segment or the buffer ends, the next command may just have begun.
 * What begins with one of the simulator's `words` is as long as that says.
 */
export function messageSize(
  bytes: Uint8Array,
  length: number,
  prefixed: boolean,
  words = NO_WORDS,
): number {
  if (length < MESSAGE_MIN) return words.size === 0 ? 0 : wordSize(bytes, length, words) ?? 0;
  const prefix = prefixed ? prefixSize(bytes, length) : 0;
  if (length < prefix + MESSAGE_MIN) return 0;
  const size = sizeAt(bytes, prefix);
  if (size < commandHeader.size || !hasTag(bytes, prefix, length)) {
    return wordSize(bytes, length, words) ?? length;
  }
  const end = prefix + size;
  if (end === length) return length;
  if (end > length) return length >= bytes.length ? length : 0;
  return mayBegin(bytes, end, length, prefixed, words) ? end : length;
}

/** The same for what begins with a word; undefined where nothing does. */
function wordSize(bytes: Uint8Array, length: number, words: Words): number | undefined {
  const size = wordMessageSize(bytes, length, words);
  if (size === undefined || size <= length) return size;
  if (size <= bytes.length) return 0;
  return length >= bytes.length || !comesInPieces(bytes) ? length : 0;
}
