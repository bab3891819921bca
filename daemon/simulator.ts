// The simulator's ports as a loop serves them: for clients that own the TPM (`--mssim`), and for those
// that share it (`--rm`). Loaded where one of them is asked for.
import { managedHandlers, ownersHandlers, type PlatformHandlers } from "../control/platform.ts";
import { commandPortWords, managedPortWords, type WordPort } from "../control/simulator_words.ts";
import { ResourceManager } from "../resources/resource_manager.ts";
import type { Space } from "../tpm/responder.ts";
import type { Tpm } from "../tpm/tpm.ts";
import type { Channel } from "../transports/channel.ts";
import type { Listener } from "../transports/listener.ts";
import type { DataPlan, SimulatorPlan } from "./loop/plans.ts";
import { PLATFORM_CLIENTS_MAX, PlatformPort, PlatformPorts } from "./loop/platform_port.ts";

/** Clients of a command port at a time; more wait until one is free. */
const CLIENTS_MAX = 64;
/** Both listeners and their clients. */
const DESCRIPTORS = 2 + CLIENTS_MAX + PLATFORM_CLIENTS_MAX;

/** Where clients come in; undefined where none do. */
interface Ports {
  command: Listener | undefined;
  platform: Listener | undefined;
}

export interface SimulatorParts {
  mssim: Ports;
  rm: Ports;
  tpm: Tpm;
  report: (message: string) => void;
  /** Says what is of interest to who looks closer. */
  tell: (message: string) => void;
  /** Whether the command that runs is that of the client behind a connection. */
  isOfRunning: (client: Channel) => boolean;
}

export function planSimulator(parts: SimulatorParts): SimulatorPlan {
  const { mssim, rm, tpm, tell, isOfRunning } = parts;
  // Whose clients share the TPM have a space each; before the others it is left empty.
  const manager = rm.command && new ResourceManager(tpm);
  const bareSpace = manager && (() => manager.bare);
  const owned = { words: commandPortWords(tpm), space: bareSpace };
  const shared = { words: managedPortWords(tpm), space: manager && (() => manager.open()) };
  const all = [
    ...pairAt("simulator's", mssim, owned, ownersHandlers(tpm), parts),
    ...pairAt("managed", rm, shared, managedHandlers(tpm, isOfRunning), parts),
  ];
  return {
    ports: all.map(({ port }) => port),
    platform: new PlatformPorts(all.map(({ platform }) => platform)),
    descriptors: all.length * DESCRIPTORS,
    bareSpace,
    ended: () => manager && tell(manager.summary),
  };
}

/** The two ports of one option; none where it was not given. */
function pairAt(
  whose: string,
  { command, platform }: Ports,
  answering: { words: WordPort; space: (() => Space) | undefined },
  handlers: PlatformHandlers,
  { tpm, report }: SimulatorParts,
): { port: SimulatorPlan["ports"][number]; platform: PlatformPort }[] {
  if (command === undefined || platform === undefined) return [];
  const plan: DataPlan = {
    listener: command,
    terminate: false,
    disconnect: false,
    clientsMax: CLIENTS_MAX,
    // What stands before a command is the protocol's own message there.
    prefixed: false,
    ...answering,
  };
  return [{
    port: { plan, what: `${whose} command port` },
    platform: new PlatformPort(platform, `${whose} platform port`, { handlers, tpm, report }),
  }];
}
