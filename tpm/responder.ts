// Who answers the commands of a data connection: the chip itself, or what stands before it there, as
// the space that a resource manager has for each of its clients.

/** An answer, now or later; valid until the next command. */
export type Answer = Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;

export interface Responder {
  /**
   * Answers the message in the first `size` bytes of `message`, which belong to it until the answer
   * is there.
   */
  process(message: Uint8Array<ArrayBuffer>, size: number): Answer;
  /** Answers a command that comes from `locality`, as the simulator's protocol has it. */
  processAt(locality: number, command: Uint8Array<ArrayBuffer>, size: number): Answer;
}

/** One that is there for one connection, and ends with it. */
export interface Space extends Responder {
  /** The connection is gone, or the command that runs for it is the last. */
  close(): void;
}
