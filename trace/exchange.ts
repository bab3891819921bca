// What a trace tells of: a command with its response, a control command, and a remark in between.
// All of it is plain data, whoever has seen it: a tap on a TPM, or a reader of captures.

/** Who sent a command, as far as that is known. */
export interface Client {
  /** The first one is 1. */
  readonly number: number;
  /** What its process is called, and its number. */
  readonly process?: string | undefined;
  readonly pid?: number | undefined;
}

interface Event {
  /** When it came, in milliseconds since the trace began; undefined where that is not known. */
  readonly timeMs?: number | undefined;
  readonly client?: Client | undefined;
  /** How long the answer took; undefined where that is not known. */
  readonly durationMs?: number | undefined;
}

/** A TPM command and its response, both without what frames them. */
export interface Exchange extends Event {
  readonly kind: "command";
  readonly locality?: number | undefined;
  readonly command: Uint8Array;
  /** Undefined where there is none: the trace ends before it came. */
  readonly response: Uint8Array | undefined;
}

/** Numbers of a control command by their names; of what else comes with it, `length` is one. */
export type ControlValues = Readonly<Record<string, number>>;

/** A command of the control channel. */
export interface ControlExchange extends Event {
  readonly kind: "control";
  /** As the protocol has it: "CMD_INIT". */
  readonly name: string;
  readonly request: ControlValues;
  /** A TPM result; undefined where there is no response. */
  readonly result: number | undefined;
  readonly response: ControlValues;
}

/** Something that is to be known between commands: where a trace begins, what was lost. */
export interface Remark {
  readonly kind: "remark";
  readonly timeMs: number;
  readonly text: string;
  /** The time of day, where it is known. */
  readonly date?: Date | undefined;
}

export type TraceEvent = Exchange | ControlExchange | Remark;
