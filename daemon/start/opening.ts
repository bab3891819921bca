// Opens what one process needs, in the order of a start: the pid file's place, the sockets, the chip
// with its storage. What is opened is not turned on yet, nor served.
import type { User } from "../../ffi/users.ts";
import type { VtpmDevice } from "../../transports/vtpm_proxy.ts";
import type { Background } from "./background.ts";
import { type ChipParts, libtpmsFor, makeChip } from "../chip/chip.ts";
import type { DaemonConfig, SimulatorConfig, Source } from "../config.ts";
import { PidFile } from "./pid_file.ts";
import type { Manager } from "./service.ts";
import { openSource } from "./sources.ts";
import { openStore } from "../chip/storage.ts";
import type { System } from "../system.ts";

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
  const taken = new Taken(system);
  const openAt = (source: Source, option: string, what: string) => {
    taken.refuse(source, option);
    const opened = openSource(system, source, what);
    leaving.add(() => opened.listener?.close());
    taken.add(source, what);
    return opened;
  };
  const openSimulator = (ports: SimulatorConfig | undefined, option: string, whose: string) => {
    const at = (source: Source | undefined, port: string) =>
      source && openAt(source, option, `${whose} ${port} port`).listener;
    return { command: at(ports?.command, "command"), platform: at(ports?.platform, "platform") };
  };
  const { control, data, mssim, rm } = config;
  const listeners = {
    control: control && openAt(control.source, "--ctrl", "control channel"),
    data: data && openAt(data.source, "--server", "data channel"),
  };
  return {
    control: { ...listeners.control, terminate: control?.terminate ?? false },
    data: {
      ...listeners.data,
      terminate: config.terminate || (data?.terminate ?? false),
      disconnect: data?.disconnect ?? false,
      clientsMax: data?.clientsMax ?? 1,
    },
    mssim: openSimulator(mssim, "--mssim", "simulator's"),
    rm: openSimulator(rm, "--rm", "managed"),
  };
}

/** What the channels that are open stand on: to bind another one would take it from them. */
class Taken {
  readonly #by = new Map<string, string>();

  constructor(private readonly system: System) {}

  add(source: Source, what: string): void {
    const place = this.#placeOf(source);
    if (place !== undefined) this.#by.set(place, what);
  }

  refuse(source: Source, option: string): void {
    const place = this.#placeOf(source);
    const by = place === undefined ? undefined : this.#by.get(place);
    if (by === undefined) return;
    const name = source.kind === "unix" ? `'${source.path}'` : place;
    throw new Error(`${option} names ${name}, which is the ${by}'s; each needs its own`);
  }

  #placeOf(source: Source): string | undefined {
    if (source.kind === "unix") return this.system.files.linkStatusOf(source.path)?.identity;
    return "fd" in source ? `descriptor ${source.fd}` : undefined;
  }
}

/** A TPM that nobody can turn on, or reach, is most likely not what was meant. */
function warnOfSilence(config: DaemonConfig, report: (message: string) => void): void {
  const { control, cuse, mssim } = config;
  const controlled = control !== undefined || cuse !== undefined || mssim !== undefined;
  if (config.print !== undefined || controlled || config.startNow) return;
  report(
    "There is no control channel to start the TPM by, and no --flags " +
      "not-need-init,startup-clear: it will refuse every command",
  );
}
