// What a loop of sockets is made of.
import type { ConnectionParts } from "../../control/connection.ts";
import type { Bell } from "../../ffi/bell.ts";
import type { Poller } from "../../ffi/poll.ts";
import type { StorageLock } from "../../state/storage_lock.ts";
import type { Tpm } from "../../tpm/tpm.ts";
import type { DataConnection } from "./data_connection.ts";
import type { ChannelPlan, DataPlan, SimulatorPlan } from "./plans.ts";
import type { Spin } from "./spin.ts";

export interface LoopParts {
  tpm: Tpm;
  lock: StorageLock;
  poller: Poller;
  spin: Spin;
  /** Rings for what comes beside the channel that is waited in; asked for when that is done first. */
  bell: () => Bell;
  data: DataPlan;
  control: ChannelPlan;
  /** Other ways to the TPM, with the simulator's protocol. */
  simulator?: SimulatorPlan | undefined;
  /** For control connections; the loop adds what they ask of it. */
  connection: ConnectionParts;
  /** Told of each data connection when it begins. */
  connected?: ((connection: DataConnection) => void) | undefined;
  report: (message: string) => void;
}
