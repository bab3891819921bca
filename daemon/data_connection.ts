// One data connection: its channel, and what has come of its next message.
import type { Channel } from "../transports/channel.ts";
import { MessageReader, type ReadOutcome } from "../transports/message_reader.ts";
import { ASLEEP, type Spin } from "./spin.ts";

export class DataConnection {
  readonly reader: MessageReader;
  /** Where the poller has it in the round that goes on; undefined when it is not waited for. */
  slot: number | undefined;
  /** Its command runs in another thread. */
  answering = false;

  /** `prefixed`: whether messages may begin with a send-command prefix. */
  constructor(readonly channel: Channel, prefixed: boolean) {
    this.reader = new MessageReader(prefixed);
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
