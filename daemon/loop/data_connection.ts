// One data connection: its channel, and what has come of its next message.
import type { WordOutcome, WordPort } from "../../control/simulator_words.ts";
import type { Responder, Space } from "../../tpm/responder.ts";
import type { Channel } from "../../transports/channel.ts";
import type { MessageReader, ReadOutcome } from "../../transports/message_reader.ts";
import { hashDataMessage, wordMessageSize } from "../../wire/simulator.ts";
import type { Bell } from "../../ffi/bell.ts";
import type { DataPlan } from "./plans.ts";
import { ASLEEP, type Spin } from "./spin.ts";

/** Where data connections come in. */
interface WayIn {
  readonly plan: DataPlan;
  readonly clientsMax: number;
  /** A connection has ended. */
  left(client: DataConnection): void;
}

export class DataConnection {
  /** Where the poller has it in the round that goes on; undefined when it is not waited for. */
  slot: number | undefined;
  /** Its command runs in another thread. */
  answering = false;
  /** Who answers its commands. */
  readonly responder: Responder;

  constructor(
    readonly channel: Channel,
    readonly reader: MessageReader,
    /** Where it came in. */
    readonly port: WayIn,
    /** What it knows of the simulator's protocol. */
    readonly words: WordPort | undefined,
    private readonly space: Space | undefined,
    tpm: Responder,
  ) {
    this.responder = space ?? tpm;
  }

  /** Whether it is for one answer, and has had it. */
  get isDone(): boolean {
    return this.port.plan.disconnect && !this.channel.unsent;
  }

  /** The answer to a message that may begin with one of the simulator's words, or what becomes of it. */
  answerWord({ words, answer }: WordPort): WordOutcome {
    const { buffer, size } = this.reader;
    if (wordMessageSize(buffer, size, words) === undefined) {
      return this.responder.process(buffer, size);
    }
    const outcome = answer(buffer, size, this.responder);
    if (outcome === "more") this.reader.dropBehind(hashDataMessage.size);
    return outcome;
  }

  /** Ends it; what was kept for it goes, too. */
  close(): void {
    this.channel.close();
    this.space?.close();
    this.port.left(this);
    this.answering = false;
  }

  /**
   * Looks for the next message, or waits for it for a moment, as `spin` has it, and no longer than
   * until the bell rings.
   */
  next(spin: Spin, bell: Bell): ReadOutcome {
    const { channel, reader } = this;
    // A sleep needs somebody who ends it.
    const asleep = spin.looks() === ASLEEP && bell.limitSleep();
    for (let looked = 0;; looked++) {
      if (bell.rang) {
        // What rang was worth waiting for, if not for this client; the end of a sleep is not.
        if (asleep && bell.isOver) spin.missed();
        else spin.found(looked);
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
