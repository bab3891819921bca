// What the readers of captures give: messages in their order, and where something is damaged. A
// reader never fails for what it reads.

/** A message that a client or the TPM has sent, as it was sent. */
export interface CapturedMessage {
  readonly kind: "message";
  readonly direction: "command" | "response";
  readonly bytes: Uint8Array;
  /** Microseconds since 1970, where the capture tells. */
  readonly timeUs?: number | undefined;
  /** Which client, from 1 on, where the capture tells. */
  readonly client?: number | undefined;
  readonly locality?: number | undefined;
}

/** A message of the control channel. */
export interface CapturedControl {
  readonly kind: "control";
  readonly direction: "command" | "response";
  readonly bytes: Uint8Array;
}

/** Something that could not be read. */
export interface Damage {
  readonly kind: "damage";
  /** "byte 1234", "line 17" */
  readonly where: string;
  readonly reason: string;
  /** Nothing is read behind it. */
  readonly last: boolean;
}

export type Captured = CapturedMessage | CapturedControl | Damage;

/** Reads a capture of one format. */
export type CaptureReader = Generator<Captured, void, void>;

/** Damage behind which nothing can be read. */
export function stop(where: string, reason: string): Damage {
  return { kind: "damage", where, reason, last: true };
}
