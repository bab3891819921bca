// One emulator process from its configuration to its exit code: has everything opened, turns the chip
// on, runs the loop, gives everything back in the opposite order.
import { makeHandlers } from "../control/handlers.ts";
import { dataChannelWords } from "../control/simulator_words.ts";
import { Poller } from "../ffi/poll.ts";
import type { Tpm } from "../tpm/tpm.ts";
import type { Channel } from "../transports/channel.ts";
import type { VtpmDevice } from "../transports/vtpm_proxy.ts";
import { confine } from "./powers/confine.ts";
import { explain } from "./output/explain.ts";
import type { Interruption } from "./end/interruption.ts";
import { Loop } from "./loop/loop.ts";
import type { DataPlan, SimulatorPlan } from "./loop/plans.ts";
import { print, printAside } from "./output/output.ts";
import { type EmulatorParts, open, type Opened } from "./start/opening.ts";
import { EndingSignals } from "./end/signals.ts";
import { channelOf, passedConnection } from "./start/sources.ts";
import { Spin } from "./loop/spin.ts";
import { controlTap } from "./watch/taps.ts";

/** Listeners of the two channels and the control connection; the data connections come on top. */
const DESCRIPTORS = 3;

/** When the memory that the start needed is given back to the system. */
const TRIM_AFTER_MS = 500;

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
    async writePid({ pidFile }: Pick<Opened, "pidFile">) {
      if (pidFile !== undefined) await signals.orElse(pidFile.write());
      return signals.reason === undefined;
    },
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

  const loop = await makeLoop(parts, emulator);
  system.phases.end("loop");
  signals.onEnd(() => loop.end());
  // The runtime's threads are all there by now, or are made by means that the profile allows.
  confine(system, config.seccomp, report);
  system.phases.end("powers given up");
  // Who waits for the pid file finds a start that is over: what the TPM stored, and soon after that
  // no other process than the one it names.
  if (!await steps.writePid(emulator)) return endedEarly(parts, signals);
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

/** The loop that serves what was opened. */
export async function makeLoop(parts: EmulatorParts, opened: Opened): Promise<Loop> {
  const { system, log, report } = parts;
  const { store, lock, tpm, trace, leaving, control } = opened;
  const simulator = await simulatorPlan(parts, opened, () => loop);
  const words = tpm.family.prefixed ? dataChannelWords() : undefined;
  const data = parts.vtpm === undefined
    ? { ...opened.data, words, space: simulator?.bareSpace }
    : vtpmPlan(parts, parts.vtpm);
  const capacity = DESCRIPTORS + data.clientsMax + (simulator?.descriptors ?? 0);
  const processors = system.process.processors();
  const own = ownSockets(opened);
  const handlers = makeHandlers({
    tpm,
    store,
    lock,
    dataPlace: {
      taken: () => loop.hasDataConnection,
      channelOf: (fd) => passedConnection(system, fd, "data channel", own),
    },
    leave: () => leaving.leave(),
    report,
  });
  const loop: Loop = new Loop({
    tpm,
    lock,
    poller: trace?.poller(capacity) ?? new Poller(system.libc, capacity),
    spin: trace?.spin(processors) ?? new Spin(processors),
    bell: () => system.signals.bell,
    data,
    control,
    simulator,
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

/** By which clients reach us. */
function ownSockets({ control, data, mssim, rm }: Opened): number[] {
  const listeners = [control.listener, data.listener, ...[mssim, rm].flatMap(Object.values)];
  return [control.channel, ...listeners].flatMap((way) => way === undefined ? [] : [way.fd]);
}

/** The ways in that `--mssim` and `--rm` open, if they do; few starts need what serves them. */
async function simulatorPlan(
  { system, config, log, report }: EmulatorParts,
  { tpm, mssim, rm }: Opened,
  loop: () => Loop,
): Promise<SimulatorPlan | undefined> {
  if (config.mssim === undefined && config.rm === undefined) return undefined;
  const { planSimulator } = await import("./simulator.ts");
  const isOfRunning = (client: Channel) => {
    const running = loop().answering;
    return running !== undefined && system.sockets.isSamePeer(running.fd, client.fd);
  };
  return planSimulator({
    mssim,
    rm,
    tpm,
    report,
    tell: (message) => log.line(message, 1),
    isOfRunning,
  });
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
