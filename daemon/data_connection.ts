// One data connection: its channel, and what has come of its next message.
import type { Tpm } from "../tpm/tpm.ts";
import type { Channel } from "../transports/channel.ts";
import { MessageReader, type ReadOutcome } from "../transports/message_reader.ts";
import { ASLEEP, type Spin } from "./spin.ts";

export class DataConnection {
  readonly reader: MessageReader;
  /** Where the poller has it in the round that goes on; undefined when it is not waited for. */
  slot: number | undefined;
  /** Its command runs in another thread. */
  answering = false;

  constructor(
    readonly channel: Channel,
    { family, commandMax }: Pick<Tpm, "family" | "commandMax">,
  ) {
    this.reader = new MessageReader(family.prefixed, commandMax);
  }

  /** Looks for the next message, or waits for it for a moment, as `spin` has it. */
  next(spin: Spin): ReadOutcome {
    const { channel, reader } = this;
    const asleep = spin.looks() === ASLEEP;
    for (let looked = 1;; looked++) {
      const outcome = reader.receive(channel, asleep);
      if (outcome === "message") spin.found(looked - 1);
      if (outcome !== "nothing") return outcome;
      if (!spin.goesOn(looked)) break;
    }
    spin.missed();
    return "nothing";
  }
}
