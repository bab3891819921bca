// Whoever looks on at what passes on the channels: the log's dumps, a packet capture, a trace.
import type { ControlTap } from "../../control/connection.ts";
import type { Libtpms } from "../../ffi/libtpms.ts";
import type { Tap } from "../../tpm/tap.ts";
import type { DaemonConfig } from "../config.ts";
import type { Log } from "../output/log.ts";
import type { System } from "../system.ts";
import type { Trace } from "./trace.ts";

/** Bytes of a control message that a dump shows, as in the C program. */
const CONTROL_DUMP_MAX = 1024;

/** Who looks on. */
export interface Taps {
  /** At TPM commands; undefined where nobody does. */
  readonly tap: Tap | undefined;
  readonly trace: Trace | undefined;
}

/** Opens what the configuration names; `closers` close it. */
export async function openTaps(
  system: System,
  config: DaemonConfig,
  log: Log,
  libtpms: Libtpms,
  closers: DisposableStack,
): Promise<Taps> {
  const taps: Tap[] = log.dumps ? [log.tap()] : [];
  if (config.pcap !== undefined) {
    const { PacketCapture } = await import("./pcap.ts");
    const capture = PacketCapture.open(system, config.pcap);
    closers.defer(() => capture.close());
    taps.push(capture);
  }
  if (config.trace === undefined) return { tap: together(taps), trace: undefined };
  const { Trace } = await import("./trace.ts");
  const report = (message: string) => log.line(message);
  const trace = Trace.open(system, config, config.trace, libtpms, report);
  closers.defer(() => trace.close());
  return { tap: together([...taps, trace.recorder]), trace };
}

/** All of them as one. */
function together(taps: readonly Tap[]): Tap | undefined {
  if (taps.length < 2) return taps[0];
  return {
    received(bytes) {
      for (const tap of taps) tap.received(bytes);
    },
    sent(bytes) {
      for (const tap of taps) tap.sent(bytes);
    },
  };
}

/** Who looks on at control commands. */
export function controlTap(log: Log, trace: Trace | undefined): ControlTap | undefined {
  if (!log.dumps) return trace?.controlTap;
  return {
    request(bytes) {
      log.dump("Ctrl Cmd", bytes, CONTROL_DUMP_MAX);
      trace?.controlTap.request(bytes);
    },
    response(bytes) {
      log.dump("Ctrl Rsp", bytes, CONTROL_DUMP_MAX);
      trace?.controlTap.response(bytes);
    },
  };
}
