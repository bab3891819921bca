// One data connection: its channel, and what has come of its next message.
import type { Tpm } from "../../tpm/tpm.ts";
import type { Channel } from "../../transports/channel.ts";
import { MessageReader, type ReadOutcome } from "../../transports/message_reader.ts";
import type { Bell } from "../../ffi/bell.ts";
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

  /**
   * Looks for the next message, or waits for it for a moment, as `spin` has it, and no longer than
   * until the bell rings.
   */
  next(spin: Spin, bell: Bell): ReadOutcome {
    const { channel, reader } = this;
    const asleep = spin.looks() === ASLEEP;
    for (let looked = 0;; looked++) {
      if (bell.rang) {
        // It was worth waiting for, if not for this client.
        spin.found(looked);
        return "nothing";
      }
      const outcome = reader.receive(channel, asleep);
      if (outcome === "message") spin.found(looked);
      if (outcome !== "nothing") return outcome;
      if (!spin.goesOn(looked + 1)) break;
    }
    spin.missed();
    return "nothing";
  }
}
