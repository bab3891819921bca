// The protocol of the TCG's and Microsoft's simulator (mssim), as layouts and tables: the words that
// messages of its two ports begin with. Commands of a TPM go in its send-command prefix (tpm.ts).
import { type Struct, struct, u32, type Value } from "./codec.ts";
import { SEND_COMMAND, sendCommandPrefix } from "./tpm.ts";

/** Before every message. */
const plain = struct("simulator's word", { word: u32 });

/** As many bytes follow as `length` says. */
export const hashDataMessage = struct("HASH_DATA", { word: u32, length: u32 });
export const handshakeMessage = struct("REMOTE_HANDSHAKE", { word: u32, version: u32 });
export const handshakeAnswer = struct("REMOTE_HANDSHAKE's answer", {
  version: u32,
  flags: u32,
  result: u32,
});

/** Behind every answer, and mostly all of it: 0, or what went wrong. */
export const simulatorResult = struct("simulator's result", { result: u32 });

/** The one version of the handshake that there is. */
export const HANDSHAKE_VERSION = 1;

/** What the handshake says of a server. */
export const Endpoint = {
  PLATFORM: 1 << 0,
  /** Handles are virtual ones, of a resource manager. */
  VIRTUAL_HANDLES: 1 << 1,
  /** Commands may come without a prefix. */
  RAW: 1 << 2,
  PHYSICAL_PRESENCE: 1 << 3,
  NO_POWER: 1 << 4,
  NO_LOCALITY: 1 << 5,
  NO_NV_CONTROL: 1 << 6,
} as const;

/** A message of the command port, as far as its size goes. */
interface Head {
  word: number;
  // deno-lint-ignore no-explicit-any
  head: Struct<any>;
  /** How many bytes stand behind the head. */
  behind?: (bytes: Uint8Array, at: number) => number;
}

/** What the command port knows. */
export const commandPort = {
  HASH_START: { word: 5, head: plain },
  HASH_DATA: { word: 6, head: hashDataMessage, behind: hashDataMessage.reader("length") },
  HASH_END: { word: 7, head: plain },
  SEND_COMMAND: {
    word: SEND_COMMAND,
    head: sendCommandPrefix,
    behind: sendCommandPrefix.reader("size"),
  },
  REMOTE_HANDSHAKE: { word: 15, head: handshakeMessage },
  SET_ALTERNATIVE_RESULT: { word: 16, head: struct("alternative result", { word: u32, it: u32 }) },
  SESSION_END: { word: 20, head: plain },
  STOP: { word: 21, head: plain },
} as const satisfies Record<string, Head>;

export type CommandPortName = keyof typeof commandPort;

/** Words of the command port that a connection is to know. */
export type Words = ReadonlyMap<number, Head>;

export const NO_WORDS: Words = new Map();

export function wordsOf(...names: CommandPortName[]): Words {
  return new Map(names.map((name) => [commandPort[name].word, commandPort[name]]));
}

/** The word that a message begins with. */
export const wordAt = plain.reader("word");

/**
 * Size of the message that begins with one of these words, or of its head as long as no more of it is
 * there; undefined where no such message begins.
 */
export function wordMessageSize(
  bytes: Uint8Array,
  length: number,
  words: Words,
): number | undefined {
  if (length < plain.size) return undefined;
  const message = words.get(wordAt(bytes, 0));
  if (message === undefined) return undefined;
  const { head, behind } = message;
  return length < head.size || behind === undefined ? head.size : head.size + behind(bytes, 0);
}

/** Whether the message may be longer than what it is collected in, as its data need no collecting. */
export function comesInPieces(bytes: Uint8Array): boolean {
  return wordAt(bytes, 0) === commandPort.HASH_DATA.word;
}

const sizes = struct("sizes", { commandMax: u32, command: u32, responseMax: u32, response: u32 });

interface PlatformCommand {
  code: number;
  // deno-lint-ignore no-explicit-any
  request: Struct<any>;
  /** What stands before the result in the answer; no answer comes where there is no such layout. */
  // deno-lint-ignore no-explicit-any
  answer: Struct<any> | undefined;
  /** Whether it must wait for a TPM command that runs. */
  chip: boolean;
}

function platformTable<T extends Record<string, PlatformCommand>>(table: T): T {
  return table;
}

const none = struct("nothing", {});
const chip = { request: none, answer: none, chip: true };
const aside = { request: none, answer: none, chip: false };

/** What the platform port knows. */
export const platformPort = platformTable({
  POWER_ON: { code: 1, ...chip },
  POWER_OFF: { code: 2, ...chip },
  PHYS_PRES_ON: { code: 3, ...chip },
  PHYS_PRES_OFF: { code: 4, ...chip },
  CANCEL_ON: { code: 9, ...aside },
  CANCEL_OFF: { code: 10, ...aside },
  NV_ON: { code: 11, ...aside },
  NV_OFF: { code: 12, ...aside },
  KEY_CACHE_ON: { code: 13, ...aside },
  KEY_CACHE_OFF: { code: 14, ...aside },
  RESET: { code: 17, ...chip },
  RESTART: { code: 18, ...aside },
  SESSION_END: { code: 20, request: none, answer: undefined, chip: false },
  STOP: { code: 21, request: none, answer: undefined, chip: false },
  GET_COMMAND_RESPONSE_SIZES: {
    code: 25,
    request: none,
    answer: struct("sizes of commands and responses", { length: u32, sizes }),
    chip: false,
  },
  ACT_GET_SIGNALED: {
    code: 26,
    request: struct("timer", { handle: u32 }),
    answer: struct("timer's signal", { signaled: u32 }),
    chip: false,
  },
});

export type PlatformName = keyof typeof platformPort;
export type PlatformRequest<N extends PlatformName> = Value<(typeof platformPort)[N]["request"]>;

/** Before every message of the platform port. */
export const platformHeader = struct("platform command", { code: u32 });

const byCode = new Map<number, PlatformName>(
  Object.entries(platformPort).map(([name, { code }]) => [code, name as PlatformName]),
);

/** By its number; undefined for one that does not exist. */
export function platformCommandOf(code: number): PlatformName | undefined {
  return byCode.get(code);
}

/** Size of the four numbers that GET_COMMAND_RESPONSE_SIZES answers with. */
export const SIZES_SIZE = sizes.size;
