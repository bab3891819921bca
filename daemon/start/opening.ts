// Opens what one process needs, in the order of a start: the pid file's place, the sockets, the chip
// with its storage. What is opened is not turned on yet, nor served.
import type { User } from "../../ffi/users.ts";
import type { VtpmDevice } from "../../transports/vtpm_proxy.ts";
import type { Background } from "./background.ts";
import { type ChipParts, libtpmsFor, makeChip } from "../chip/chip.ts";
import type { DaemonConfig, Source } from "../config.ts";
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
  const control = config.control === undefined
    ? {}
    : openSource(system, config.control.source, "control channel");
  leaving.add(() => control.listener?.close());
  refuseOneForBoth(system, config);
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

/** To bind the data channel would take the path from the control channel, which is bound by now. */
function refuseOneForBoth({ files }: System, { control, data }: DaemonConfig): void {
  const placeOf = (source: Source | undefined) => {
    if (source?.kind === "unix") return files.linkStatusOf(source.path)?.identity;
    return source !== undefined && "fd" in source ? `descriptor ${source.fd}` : undefined;
  };
  const place = placeOf(control?.source);
  if (place === undefined || place !== placeOf(data?.source)) return;
  const name = data?.source.kind === "unix" ? `'${data.source.path}'` : place;
  throw new Error(`--server names ${name}, which is the control channel's; each needs its own`);
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
