// A TPM in this very process that others can reach for a while: on, started up and proven before
// anybody is told of it, open to several clients. Where only the tool itself uses it, see
// private_tpm.ts.
import type { DaemonConfig, Source } from "../../daemon/config.ts";
import { makeLoop } from "../../daemon/emulator.ts";
import type { Log } from "../../daemon/output/log.ts";
import type { Loop } from "../../daemon/loop/loop.ts";
import { open } from "../../daemon/start/opening.ts";
import type { System } from "../../daemon/system.ts";
import type { Trace } from "../../daemon/watch/trace.ts";
import { chooseLibtpms } from "../../ffi/choose_libtpms.ts";
import { tpmConfig, type TpmOptions } from "./options.ts";
import { LOOPBACK, type Place, tcpPlace, waysOf, type Where } from "./place.ts";
import { turnOn } from "./private_tpm.ts";
import { prove } from "./proof.ts";

/** Connections that tools running side by side may hold; more wait until one is free. */
export const CLIENTS_MAX = 64;

/** Nobody but us may connect. */
const SOCKET_MODE = 0o600;

/** Chosen ports may be taken; each further choice is as likely to be free as the first. */
const PORT_TRIES = 100;

export interface OwnTpm {
  place: Place;
  /** What serves it from then on; clients that come before wait until it does. */
  openLoop: () => Promise<Loop>;
  trace: Trace | undefined;
}

export interface OwnTpmParts {
  system: System;
  options: TpmOptions;
  /** Unix sockets here; undefined: TCP ports. */
  place: Place | undefined;
  log: Log;
}

/** Turns the TPM on; `closers` turn it off in order and give everything back. */
export async function openOwnTpm(
  { system, options, place, log }: OwnTpmParts,
  closers: DisposableStack,
): Promise<OwnTpm> {
  const report = (message: string) => log.line(message);
  const openLibtpms = async () => (await chooseLibtpms(system.files, options.libtpms)).libtpms;
  const manager = { ready() {}, stopping() {} };
  const openAt = async (place: Place) => {
    const config = configFor(options, place);
    const parts = { system, config, log, report, openLibtpms, manager, background: undefined };
    const attempt = closers.use(new DisposableStack());
    try {
      return { parts, place, opened: await open(parts, attempt) };
    } catch (error) {
      attempt.dispose();
      throw error;
    }
  };
  const found = place === undefined ? await atFreePorts(options, openAt) : await openAt(place);
  const { tpm, data } = found.opened;
  turnOn(tpm);
  tpm.startup("clear");
  if (data.listener === undefined) throw new Error("there is no data channel");
  await prove(system.libc, tpm, data.listener, found.place);
  const openLoop = () => makeLoop(found.parts, found.opened);
  return { place: found.place, openLoop, trace: found.opened.trace };
}

/** Opens neighbouring TCP ports that nobody has. */
async function atFreePorts<T>(
  { beside }: TpmOptions,
  openAt: (place: Place) => Promise<T>,
): Promise<T> {
  for (let left = PORT_TRIES;; left--) {
    try {
      return await openAt(tcpPlace(beside));
    } catch (error) {
      const taken = error instanceof Error && error.cause instanceof Deno.errors.AddrInUse;
      if (!taken || left <= 1) throw error;
    }
  }
}

function configFor(options: TpmOptions, place: Place): DaemonConfig {
  const { data, control, beside } = waysOf(place);
  return {
    ...tpmConfig(options),
    data: { source: sourceAt(data), disconnect: false, terminate: false, clientsMax: CLIENTS_MAX },
    control: { source: sourceAt(control), terminate: false },
    ...(beside && {
      [beside.name]: { command: sourceAt(beside.command), platform: sourceAt(beside.platform) },
    }),
    // COMMAND would inherit the filter, and starting it is one of the calls that it denies.
    seccomp: "none",
  };
}

function sourceAt(where: Where): Source {
  return "path" in where
    ? { kind: "unix", path: where.path, mode: SOCKET_MODE }
    : { kind: "tcp", host: LOOPBACK, port: where.port };
}
