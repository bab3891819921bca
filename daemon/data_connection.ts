// One data connection: its channel, and what has come of its next message.
import type { Channel } from "../transports/channel.ts";
import { MessageReader } from "../transports/message_reader.ts";

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
}
