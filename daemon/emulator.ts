// One emulator process from its configuration to its exit code: opens everything in order, runs the
// loop, gives everything back in the opposite order.
import { makeHandlers } from "../control/handlers.ts";
import { Poller } from "../ffi/poll.ts";
import type { User } from "../ffi/users.ts";
import type { Tpm } from "../tpm/tpm.ts";
import type { VtpmDevice } from "../transports/vtpm_proxy.ts";
import type { Background } from "./background.ts";
import { type ChipParts, libtpmsFor, makeChip } from "./chip.ts";
import type { DaemonConfig } from "./config.ts";
import { confine } from "./confine.ts";
import { explain } from "./explain.ts";
import type { Interruption } from "./interruption.ts";
import { type DataPlan, Loop } from "./loop.ts";
import { print, printAside } from "./output.ts";
import { PidFile } from "./pid_file.ts";
import type { Manager } from "./service.ts";
import { EndingSignals } from "./signals.ts";
import { channelOf, openSource, passedConnection } from "./sources.ts";
import { Spin } from "./spin.ts";
import { openStore } from "./storage.ts";
import type { System } from "./system.ts";
import { controlTap } from "./taps.ts";

/** Listeners of the two channels and the control connection; the data connections come on top. */
const DESCRIPTORS = 3;

/** When the memory that the start needed is given back to the system. */
const TRIM_AFTER_MS = 500;

/** What one process is made of. */
export interface EmulatorParts extends ChipParts {
  manager: Manager;
  /** Where this is the process that stays in the background. */
  background: Background | undefined;
  /** The kernel's device that the TPM is behind, where there is one. */
  vtpm?: VtpmDevice | undefined;
  /** Who to become; the cuse interface does that last, all others did it before. */
  later?: { user: User; become: () => void } | undefined;
}

/** Runs the emulator to its end. Errors that keep it from starting are thrown. */
export async function runEmulator(parts: EmulatorParts): Promise<number> {
  using closers = new DisposableStack();
  const { system, config, log, report, manager, background } = parts;
  const signals = closers.use(new EndingSignals(system.signals));
  background?.onAbandoned((reason) => signals.ask(reason));

  const steps = {
    open: () => signals.orElse(open(parts, closers)),
    startUp: (tpm: Tpm) => startUp(parts, tpm),
    onEnd: (action: () => void) => signals.onEnd(action),
    announce() {
      background?.ready(log);
      manager.ready();
      closers.defer(() => manager.stopping());
    },
  };
  if (config.cuse !== undefined) {
    const { runCuse } = await import("./cuse.ts");
    return await runCuse(parts, config.cuse, steps, closers) ?? endedEarly(parts, signals);
  }

  const emulator = await steps.open();
  if (emulator === undefined) return endedEarly(parts, signals);
  const { tpm } = emulator;
  if (config.startNow && tpm.start(false) !== 0) return 1;
  system.phases.end("TPM");

  const loop = makeLoop(parts, emulator);
  system.phases.end("loop");
  signals.onEnd(() => loop.end());
  // The runtime's threads are all there by now, or are made by means that the profile allows.
  confine(system, config.seccomp, report);
  system.phases.end("powers given up");
  // Who waits for the pid file finds a start that is over: what the TPM stored, and soon after that
  // no other process than the one it names.
  emulator.pidFile?.write();
  steps.announce();
  if (!startUp(parts, tpm)) return 0;
  // Who waits for the first answer does not wait for this.
  setTimeout(() => system.process.trim(), TRIM_AFTER_MS);
  system.phases.end("readiness, Startup");
  system.phases.print(printAside);
  await loop.run();
  return 0;
}

/** Sends the Startup command that was asked for; false where the TPM has none of that type. */
function startUp({ config, report }: EmulatorParts, tpm: Tpm): boolean {
  if (config.startup === undefined || tpm.startup(config.startup)) return true;
  report(`A ${tpm.family.name} has no startup-${config.startup}`);
  return false;
}

/** The end was asked for before the TPM could serve; who waits for a daemon is told so. */
function endedEarly({ background, report }: EmulatorParts, { reason }: Interruption): number {
  if (background === undefined) return 0;
  report(`Ended by ${reason} before the TPM could be reached`);
  return 1;
}

/** What a loop serves. */
export type Opened = Awaited<ReturnType<typeof open>>;

/**
 * Opens everything that the configuration names, but does not turn the chip on; `closers` give it
 * back. The sockets come first: who started us waits for them, and connections wait in them.
 */
export async function open(parts: EmulatorParts, closers: DisposableStack) {
  const { system, config, report } = parts;
  const leaving = new Leaving();
  closers.defer(() => leaving.leave());
  const pidFile = config.pid === undefined ? undefined : new PidFile(system, config.pid);
  leaving.add(() => pidFile?.remove());
  const channels = openChannels(system, config, leaving);
  system.phases.end("sockets");
  const libtpms = await libtpmsFor(parts);
  system.phases.end("libtpms");
  // What a start says of the storage is of no interest where only a question is asked.
  const inform = config.print === undefined ? report : () => {};
  const store = await openStore(system, config, inform);
  leaving.add(() => store.close());
  const chip = await makeChip(parts, libtpms, store, closers);
  warnOfSilence(config, report);
  system.phases.end("storage, profile, crypto");
  return { store, leaving, pidFile, ...chip, ...channels };
}

/**
 * What others can see of us, and what we keep from them: the pid file, the sockets, the lock on the
 * storage. It goes in this order when the TPM is off, once.
 */
class Leaving {
  #steps: (() => void)[] = [];

  add(step: () => void): void {
    this.#steps.push(step);
  }

  leave(): void {
    for (const step of this.#steps.splice(0)) step();
  }
}

function openChannels(system: System, config: DaemonConfig, leaving: Leaving) {
  const control = config.control === undefined
    ? {}
    : openSource(system, config.control.source, "control channel");
  leaving.add(() => control.listener?.close());
  const data = config.data === undefined
    ? {}
    : openSource(system, config.data.source, "data channel");
  leaving.add(() => data.listener?.close());
  return {
    control: { ...control, terminate: config.control?.terminate ?? false },
    data: {
      ...data,
      terminate: config.terminate || (config.data?.terminate ?? false),
      disconnect: config.data?.disconnect ?? false,
      clientsMax: config.data?.clientsMax ?? 1,
    },
  };
}

/** A TPM that nobody can turn on, or reach, is most likely not what was meant. */
function warnOfSilence(config: DaemonConfig, report: (message: string) => void): void {
  const controlled = config.control !== undefined || config.cuse !== undefined;
  if (config.print !== undefined || controlled || config.startNow) return;
  report(
    "There is no control channel to start the TPM by, and no --flags " +
      "not-need-init,startup-clear: it will refuse every command",
  );
}

/** The loop that serves what was opened. */
export function makeLoop(parts: EmulatorParts, opened: Opened): Loop {
  const { system, log, report } = parts;
  const { store, lock, tpm, trace, leaving, control } = opened;
  const data = parts.vtpm === undefined ? opened.data : vtpmPlan(parts, parts.vtpm);
  const capacity = DESCRIPTORS + data.clientsMax;
  const processors = system.process.processors();
  const handlers = makeHandlers({
    tpm,
    store,
    lock,
    dataPlace: {
      taken: () => loop.hasDataConnection,
      channelOf: (fd) => passedConnection(system, fd, "data channel"),
    },
    leave: () => leaving.leave(),
    report,
  });
  const loop: Loop = new Loop({
    tpm,
    lock,
    poller: trace?.poller(capacity) ?? new Poller(system.libc, capacity),
    spin: trace?.spin(processors) ?? new Spin(processors),
    data,
    control,
    connection: {
      tpm,
      report,
      tap: controlTap(log, trace),
      closeFd: (fd) => system.files.close(fd),
      handlers,
    },
    connected: trace && (({ reader, channel }) => trace.connected(reader.buffer.buffer, channel)),
    report,
  });
  return loop;
}

/** The kernel is the client of its device; users may have it as soon as the TPM answers. */
function vtpmPlan({ system, report }: EmulatorParts, { fd, path, major, minor }: VtpmDevice) {
  // Programs read the device's name from this line.
  try {
    print(system, `New TPM device: ${path} (major/minor = ${major}/${minor})\n`);
  } catch (error) {
    report(explain(system, error)); // the device is there, with or without it
  }
  const channel = channelOf(system, fd, "data channel");
  return { channel, terminate: true, disconnect: false, clientsMax: 1 } satisfies DataPlan;
}
