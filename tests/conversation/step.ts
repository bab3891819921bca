// What a conversation with an emulator consists of: scenes, each with an emulator of its own, and
// their steps, one message and the kind of reaction it should meet. Pure data; player.ts acts.

import { controlMessage, type StateBlob } from "../support/control.ts";

/** A connection of a scene; each is opened when a step first uses it. */
export type Line = "control" | "data" | "control 2" | "data 2";

/** State blobs that earlier steps of the scene got, by the name they were kept under. */
export type Kept = ReadonlyMap<string, StateBlob>;

/** What a step waits for. Whatever it is, all that comes is recorded and compared. */
export type Reaction =
  /** One answer of the length that the protocol tells. */
  | "answer"
  /** All bytes until it is quiet: more than one answer, or none. */
  | "all"
  /** An answer and then the connection's end. */
  | "close"
  /** The connection's end, after the emulator has waited for more. */
  | "give up";

/** Bytes of an answer that are random or a clock's, and why. */
export interface Mask {
  readonly from: number;
  /** Without it: to the end of the answer. */
  readonly length?: number;
  readonly why: string;
}

/** One message and how it is sent. */
export interface Message {
  readonly does: "send";
  /** Unique in its scene; what the step shows. */
  readonly id: string;
  readonly on: Line;
  /** The bytes; a function where they contain what an earlier answer brought. */
  readonly bytes: Uint8Array | ((kept: Kept) => Uint8Array);
  /** Sizes of the segments, each read by itself, the last of which repeats; else one segment. */
  readonly split?: readonly number[];
  /** Says after the bytes that nothing more will be sent, and still waits for the answer. */
  readonly last?: boolean;
  readonly reaction: Reaction;
  readonly masks: readonly Mask[];
  /** Keeps the state blob of the answer under this name. */
  readonly keep?: string;
}

/** Something other than a message that happens to a line. */
export interface Event {
  readonly does: "connect" | "close" | "pass data socket";
  readonly id: string;
  readonly on: Line;
}

/** The process is expected to end by itself. */
export interface End {
  readonly does: "end";
  readonly id: string;
}

export type Step = Message | Event | End;

/** A stretch of conversation with one emulator. */
export interface Scene {
  readonly name: string;
  /** Version of the C program that first had the options of the scene. */
  readonly since?: "0.8";
  readonly transport?: "unix" | "tcp";
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly controlOptions?: readonly string[];
  readonly dataOptions?: readonly string[];
  /** False: no data server, for a data socket that comes by SET_DATAFD. */
  readonly dataServer?: boolean;
  /** Files laid into the folder of the sockets, where arguments name them by `{folder}`. */
  readonly files?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

/** What a message may have beside its bytes. */
export type Extras = Partial<
  Pick<Message, "on" | "split" | "last" | "reaction" | "masks" | "keep">
>;

/** A control command in one segment. */
export function control(
  id: string,
  number: number,
  payload?: Uint8Array | ((kept: Kept) => Uint8Array),
  extras: Extras = {},
): Message {
  const bytes = typeof payload === "function"
    ? (kept: Kept) => controlMessage(number, payload(kept))
    : controlMessage(number, payload);
  return { does: "send", id, on: "control", bytes, reaction: "answer", masks: [], ...extras };
}

/** Any bytes on the control channel. */
export function controlBytes(id: string, bytes: Uint8Array, extras: Extras = {}): Message {
  return { does: "send", id, on: "control", bytes, reaction: "answer", masks: [], ...extras };
}

/** Bytes on the data channel: a TPM command or something like it. */
export function data(id: string, bytes: Uint8Array, extras: Extras = {}): Message {
  return { does: "send", id, on: "data", bytes, reaction: "answer", masks: [], ...extras };
}

/** The answer is random from here on. */
export function random(from: number, length?: number): Mask {
  return { from, why: "random", ...(length === undefined ? {} : { length }) };
}

/** The scene's state blob of this name; throws when the step that gets it has failed. */
export function keptBlob(kept: Kept, name: string): StateBlob {
  const blob = kept.get(name);
  if (blob === undefined) throw new Error(`no step before has kept a blob named "${name}"`);
  return blob;
}
