// One emulator process from its configuration to its exit code: opens everything in order, runs the
// loop, gives everything back in the opposite order.
import type { ControlTap } from "../control/connection.ts";
import { makeHandlers } from "../control/handlers.ts";
import { Libtpms } from "../ffi/libtpms.ts";
import { Poller } from "../ffi/poll.ts";
import { StorageLock } from "../state/storage_lock.ts";
import { type Family, tpm12, tpm2 } from "../tpm/family.ts";
import { Tpm } from "../tpm/tpm.ts";
import type { DaemonConfig } from "./config.ts";
import type { Log } from "./log.ts";
import { Loop } from "./loop.ts";
import { ReportingStore } from "./reporting_store.ts";
import { watchSignals } from "./signals.ts";
import { channelOf, openSource } from "./sources.ts";
import { Spin } from "./spin.ts";
import { openStore } from "./storage.ts";
import type { System } from "./system.ts";

/** Bytes of a control message that a dump shows, as in the C program. */
const CONTROL_DUMP_MAX = 1024;
/** A listener or a connection for each of the two channels. */
const DESCRIPTORS = 2;

/** Runs the emulator to its end. Errors that keep it from starting are thrown. */
export async function runEmulator(
  system: System,
  config: DaemonConfig,
  log: Log,
): Promise<number> {
  using closers = new DisposableStack();
  const report = (message: string) => log.line(message);
  const family: Family = config.tpm2 ? tpm2 : tpm12;
  const libtpms = Libtpms.open();
  if (config.log !== undefined && log.fd !== undefined) {
    libtpms.setDebug(log.fd, log.libtpms.level, log.libtpms.prefix);
  }

  const poller = new Poller(system.libc, DESCRIPTORS);
  let end = () => {};
  let ended = false;
  closers.defer(watchSignals(() => {
    ended = true;
    end();
  }));

  const store = await openStore(system, config);
  closers.defer(() => store.close());
  const { data, control } = openChannels(system, config, closers);

  const lock = new StorageLock(store.backend, config.incoming);
  const tpm = new Tpm({
    family,
    libtpms,
    nvram: new ReportingStore(store, report),
    lock,
    policy: config.policy,
    autoShutdown: config.autoShutdown,
    report,
    tap: log.dumps ? log.tap() : undefined,
  });
  if (!tpm.choose()) throw new Error(`this libtpms was built without ${family.name}`);
  closers.defer(() => tpm.stop());
  if (config.startNow && tpm.start(false) !== 0) return 1;

  const loop: Loop = new Loop({
    tpm,
    lock,
    poller,
    spin: new Spin(system.process.processors()),
    data,
    control,
    connection: {
      tpm,
      report,
      tap: log.dumps ? controlTap(log) : undefined,
      closeFd: (fd) => system.files.close(fd),
      handlers: makeHandlers({
        tpm,
        store,
        lock,
        hasDataConnection: () => loop.hasDataConnection,
        report,
      }),
    },
    channelOf: (fd) => channelOf(system, fd, "data channel"),
    report,
  });
  end = () => loop.end();
  if (ended) return 0;
  if (config.startup !== undefined && !tpm.startup(config.startup)) {
    report(`A ${family.name} has no startup-${config.startup}`);
    return 0;
  }
  system.process.trim();
  await loop.run();
  return 0;
}

function openChannels(system: System, config: DaemonConfig, closers: DisposableStack) {
  const opened = config.data === undefined
    ? {}
    : openSource(system, config.data.source, "data channel");
  closers.defer(() => opened.listener?.close());
  const data = {
    ...opened,
    terminate: config.terminate || (config.data?.terminate ?? false),
    disconnect: config.data?.disconnect ?? false,
  };
  const control = config.control === undefined
    ? {}
    : openSource(system, config.control.source, "control channel");
  closers.defer(() => control.listener?.close());
  return { data, control: { ...control, terminate: config.control?.terminate ?? false } };
}

function controlTap(log: Log): ControlTap {
  return {
    request: (bytes) => log.dump("Ctrl Cmd", bytes, CONTROL_DUMP_MAX),
    response: (bytes) => log.dump("Ctrl Rsp", bytes, CONTROL_DUMP_MAX),
  };
}
