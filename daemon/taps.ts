// Whoever looks on at what passes on the channels: the log's dumps, a packet capture.
import type { ControlTap } from "../control/connection.ts";
import type { Tap } from "../tpm/tap.ts";
import type { DaemonConfig } from "./config.ts";
import type { Log } from "./log.ts";
import type { System } from "./system.ts";

/** Bytes of a control message that a dump shows, as in the C program. */
const CONTROL_DUMP_MAX = 1024;

/** Who looks on at TPM commands; a capture is given to `closers`. */
export async function openTaps(
  system: System,
  config: DaemonConfig,
  log: Log,
  closers: DisposableStack,
): Promise<Tap | undefined> {
  const dumps = log.dumps ? log.tap() : undefined;
  if (config.pcap === undefined) return dumps;
  const { PacketCapture } = await import("./pcap.ts");
  const capture = PacketCapture.open(system, config.pcap);
  closers.defer(() => capture.close());
  if (dumps === undefined) return capture;
  return {
    received(bytes) {
      dumps.received(bytes);
      capture.received(bytes);
    },
    sent(bytes) {
      dumps.sent(bytes);
      capture.sent(bytes);
    },
  };
}

/** Who looks on at control commands. */
export function controlTap(log: Log): ControlTap | undefined {
  if (!log.dumps) return undefined;
  return {
    request: (bytes) => log.dump("Ctrl Cmd", bytes, CONTROL_DUMP_MAX),
    response: (bytes) => log.dump("Ctrl Rsp", bytes, CONTROL_DUMP_MAX),
  };
}
