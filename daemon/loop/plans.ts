// What the channels of a loop are to be: where their connections come from, and what the end of one
// means.
import type { WordPort } from "../../control/simulator_words.ts";
import type { Channel } from "../../transports/channel.ts";
import type { Space } from "../../tpm/responder.ts";
import type { Listener } from "../../transports/listener.ts";
import type { PlatformPort } from "./platform_port.ts";

/** How one channel begins and what its end means. */
export interface ChannelPlan {
  listener?: Listener | undefined;
  /** A connection that is there from the start. */
  channel?: Channel | undefined;
  /** The process ends with the connection. */
  terminate: boolean;
}

export interface DataPlan extends ChannelPlan {
  /** The connection is closed after each answer. */
  disconnect: boolean;
  /** How many clients may be connected at a time; one, as in the C program, where not given. */
  clientsMax?: number;
  /** Whether commands may have a send-command prefix; where not given, it is the version's affair. */
  prefixed?: boolean;
  /**
   * What connections that are accepted know of the simulator's protocol. One that was passed has
   * somebody else's bytes, such as a guest's: they mean commands alone.
   */
  words?: WordPort | undefined;
  /** Opens what answers the commands of one connection; where not given, the chip does. */
  space?: (() => Space) | undefined;
}

/** One platform port, or several as one. */
export type Platform = Pick<PlatformPort, "hang" | "watch" | "due" | "serve" | "close">;

/** Ports of the simulator's protocol. */
export interface SimulatorPlan {
  /** Command ports; `what` names them in messages. */
  ports: readonly { plan: DataPlan; what: string }[];
  platform: Platform;
  /** How many descriptors are waited for there at most. */
  descriptors: number;
  /** What the data channel's connections are to open where others share the TPM. */
  bareSpace: DataPlan["space"];
  /** Told when all connections are closed. */
  ended(): void;
}
