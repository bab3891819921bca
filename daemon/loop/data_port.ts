// One way for data clients: where they come in, how many may be there at a time, what they speak.
// Which of them is served when is the loop's decision.
import type { Bell } from "../../ffi/bell.ts";
import type { Poller } from "../../ffi/poll.ts";
import type { Responder } from "../../tpm/responder.ts";
import type { Tpm } from "../../tpm/tpm.ts";
import type { Channel } from "../../transports/channel.ts";
import { MessageReader } from "../../transports/message_reader.ts";
import { DataConnection } from "./data_connection.ts";
import { Entrance } from "./entrance.ts";
import type { DataPlan } from "./plans.ts";

export class DataPort {
  readonly entrance: Entrance | undefined;
  readonly clientsMax: number;
  /** How many are there. */
  #clients = 0;
  /** What a connection has left behind, for the next one: many have one command only. */
  #spare: MessageReader | undefined;
  /** Where the poller has the entrance in the round that goes on; undefined when it is not open. */
  slot: number | undefined;

  /** `what` names it in messages: "data channel". */
  constructor(
    readonly plan: DataPlan,
    private readonly tpm: Responder & Pick<Tpm, "family" | "commandMax">,
    what: string,
    report: (message: string) => void,
  ) {
    this.clientsMax = plan.clientsMax ?? 1;
    this.entrance = plan.listener && new Entrance(plan.listener, what, report);
  }

  get hasRoom(): boolean {
    return this.#clients < this.clientsMax;
  }

  /** Whether a connection that is passed would take the place of another one. */
  get isTaken(): boolean {
    return (this.clientsMax === 1 && this.entrance !== undefined) || !this.hasRoom;
  }

  /**
   * Has those who come ring, where they could come in: while the only client that there may be is
   * waited for, nobody can, and a signal for each connection takes longer than a command.
   */
  hang(bell: Bell): void {
    if (this.clientsMax > 1) this.entrance?.hang(bell);
  }

  watch(poller: Poller): void {
    this.slot = this.hasRoom ? this.entrance?.watch(poller) : undefined;
  }

  /** When to look at the entrance again (performance.now()), if not now. */
  get pausedUntil(): number {
    return this.hasRoom ? this.entrance?.pausedUntil ?? Infinity : Infinity;
  }

  /** Takes a connection that waits, if one can be taken. */
  accept(): DataConnection | undefined {
    const channel = this.entrance?.accept();
    return channel && this.#connect(channel, true);
  }

  /** A connection that was passed. */
  take(channel: Channel): DataConnection {
    return this.#connect(channel, false);
  }

  /** A connection has ended. */
  left({ reader, answering, words }: DataConnection): void {
    this.#clients--;
    // A command that runs in another thread is still read there.
    if (answering || words !== this.plan.words) return;
    reader.clear();
    this.#spare = reader;
  }

  #connect(channel: Channel, accepted: boolean): DataConnection {
    const { family, commandMax } = this.tpm;
    const words = accepted ? this.plan.words : undefined;
    const prefixed = this.plan.prefixed ?? family.prefixed;
    this.#clients++;
    const spare = words === this.plan.words ? this.#spare : undefined;
    if (spare !== undefined) this.#spare = undefined;
    const reader = spare ?? new MessageReader(prefixed, commandMax, words?.words);
    return new DataConnection(channel, reader, this, words, this.plan.space?.(), this.tpm);
  }
}
