// What passes between a client and the chip, for whoever wants to look on: the log's dumps, a
// packet capture. A tap sees bytes and cannot change them.

export interface Tap {
  /** A message as it was received, with its prefix. */
  received(bytes: Uint8Array): void;
  /** A response, without what frames it for clients that send prefixes. */
  sent(bytes: Uint8Array): void;
}
