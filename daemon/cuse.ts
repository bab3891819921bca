// The cuse interface from a TPM that is ready to the end of its device: the device, the control
// commands as its ioctls, its loop; then powers are given up in this interface's own order.
import { BlobTransfer } from "../control/blob_transfer.ts";
import { makeHandlers } from "../control/handlers.ts";
import { IoctlServer } from "../control/ioctl_server.ts";
import { O } from "../ffi/files.ts";
import { Errno, SystemError } from "../ffi/libc.ts";
import { Poller } from "../ffi/poll.ts";
import type { User } from "../ffi/users.ts";
import type { Tpm } from "../tpm/tpm.ts";
import { CuseDevice, type DeviceIdentity } from "../transports/cuse_device.ts";
import type { DaemonConfig } from "./config.ts";
import { confine } from "./powers/confine.ts";
import { CuseLoop } from "./loop/cuse_loop.ts";
import { explain } from "./output/explain.ts";
import { handOver } from "./start/hand_over.ts";
import type { EmulatorParts, Opened } from "./start/opening.ts";
import type { System } from "./system.ts";

/** Exit codes, the C program's negative numbers in eight bits; it has 1 for a device it cannot make. */
const cuseExit = {
  options: 253,
  start: 255,
  device: 1,
  pidFile: 243,
  /** An unknown user; changes that fail have codes of their own. */
  user: 242,
  userCalls: { initgroups: 246, setgid: 245, setuid: 244 } as Readonly<Record<string, number>>,
  confinement: 242,
} as const;

const STATE_MODE = 0o775;

/** The parts of a start that all interfaces have. */
export interface CuseSteps {
  /** Undefined where the end was asked for meanwhile. */
  open: () => Promise<Opened | undefined>;
  /** Sends the Startup command that was asked for. */
  startUp: (tpm: Tpm) => void;
  /** False where the end was asked for meanwhile. */
  writePid: (opened: Opened) => Promise<boolean>;
  /** Notes what ends the process. */
  onEnd: (action: () => void) => void;
  /** Tells who started us that users may come. */
  announce: () => void;
}

/**
 * Runs the interface to its end and returns the exit code; undefined where the end was asked for
 * before it served. The device is there for users as soon as it is made, so the TPM is started up
 * before that; the user changes last.
 */
export async function runCuse(
  parts: EmulatorParts,
  identity: DeviceIdentity,
  steps: CuseSteps,
  closers: DisposableStack,
): Promise<number | undefined> {
  const { system, config, report, later } = parts;
  let exitCode: number = cuseExit.options;
  try {
    const opened = await steps.open();
    if (opened === undefined) return undefined;
    exitCode = cuseExit.start;
    requireFreeName(system, identity);
    exitCode = cuseExit.device;
    const device = CuseDevice.open(system.files, system.sockets);
    closers.defer(() => device.close());
    exitCode = cuseExit.start;
    makeStateFolder(system, config, later?.user);
    if (config.startNow && opened.tpm.start(false) !== 0) return exitCode;
    steps.startUp(opened.tpm);
    exitCode = cuseExit.device;
    const loop = makeLoop(parts, opened, device);
    steps.onEnd(() => loop.end());
    device.make(identity);
    const writePid = () => {
      exitCode = cuseExit.pidFile;
      return steps.writePid(opened);
    };
    if (later !== undefined) {
      // The new user may have no right to write it.
      if (!await writePid()) return undefined;
      exitCode = cuseExit.user;
      handOver(system, config.state, later.user);
      later.become();
    }
    exitCode = cuseExit.confinement;
    confine(system, config.seccomp, report);
    // As late as can be: who waits for it and looks for us then finds one process, not the starting one.
    if (later === undefined && !await writePid()) return undefined;
    exitCode = cuseExit.device;
    steps.announce();
    await loop.run();
    return 0;
  } catch (error) {
    report(explain(system, error));
    return exitCode === cuseExit.user ? userExit(error) : exitCode;
  }
}

/**
 * Throws where something stands at the device's path already, before anything is done. A node with
 * nothing behind it does not count: where nobody makes nodes for us, as in a container, it was made
 * beforehand for the numbers of -M and -m.
 */
function requireFreeName({ files }: System, { name }: DeviceIdentity): void {
  const path = `/dev/${name}`;
  if (files.statusOf(path) === undefined) return;
  try {
    files.close(files.open(path, O.RDWR | O.NONBLOCK));
  } catch (error) {
    const { errno } = error as SystemError;
    if (errno === Errno.ENXIO || errno === Errno.ENODEV) return;
  }
  throw new Error(`A device '${path}' exists already; choose another --name`);
}

/**
 * Makes the directory of the state where there is none, as its owner's who will write there: only
 * this interface does.
 */
function makeStateFolder({ files }: System, { state }: DaemonConfig, owner?: User): void {
  const folder = state?.place.kind === "directory" ? state.place.path : "";
  if (folder === "" || files.statusOf(folder) !== undefined) return;
  Deno.mkdirSync(folder, { mode: STATE_MODE });
  if (owner !== undefined) files.chown(folder, owner.uid, owner.gid);
}

/** What serves the device. */
function makeLoop(
  { system, report }: EmulatorParts,
  { tpm, store, lock, trace, leaving }: Opened,
  device: CuseDevice,
): CuseLoop {
  const handlers = makeHandlers({
    tpm,
    store,
    lock,
    leave: () => leaving.leave(),
    report,
  });
  const transfer = new BlobTransfer(handlers);
  const ioctls = new IoctlServer({
    handlers,
    tpm,
    lock,
    transfer,
    powerChanged: () => loop.forgetResponse(),
    tap: trace?.controlTap,
    report,
  });
  const poller = trace?.poller(1) ?? new Poller(system.libc, 1);
  const loop: CuseLoop = new CuseLoop({ tpm, lock, poller, device, transfer, ioctls, report });
  trace?.connected(loop.memory, device);
  return loop;
}

/** The exit code of a change of user that failed. */
function userExit(error: unknown): number {
  const cause = error instanceof Error ? error.cause : undefined;
  const call = cause instanceof SystemError ? cause.call : "";
  return cuseExit.userCalls[call] ?? cuseExit.user;
}
