// A TPM in this very process that only the tool itself uses: no sockets, no folder, nothing that
// others could find. Commands are bytes that go in and come out.
import { libtpmsFor, makeChip } from "../../daemon/chip/chip.ts";
import type { Log } from "../../daemon/output/log.ts";
import { openStore } from "../../daemon/chip/storage.ts";
import type { System } from "../../daemon/system.ts";
import { chooseLibtpms } from "../../ffi/choose_libtpms.ts";
import type { Libtpms } from "../../ffi/libtpms.ts";
import type { StateStore } from "../../state/store.ts";
import type { Tpm } from "../../tpm/tpm.ts";
import { tpmConfig, type TpmWish } from "./options.ts";

export interface PrivateTpmParts {
  system: System;
  options: TpmWish;
  log: Log;
  /** Where the tool has opened it already. */
  libtpms?: Libtpms | undefined;
  /** The tool's own place for the state; that of the options otherwise. */
  store?: StateStore;
  /** Whether a new life begins; without it a volatile state goes on where it was saved. */
  startup?: "clear" | "none";
}

export interface PrivateTpm {
  tpm: Tpm;
  /** Has the TPM do one command; the response is the caller's to keep. */
  send(command: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
}

/** Turns the TPM on; `closers` turn it off in order and give everything back. */
export async function openPrivateTpm(
  { system, options, log, libtpms: open, store: given, startup = "clear" }: PrivateTpmParts,
  closers: DisposableStack,
): Promise<PrivateTpm> {
  const report = (message: string) => log.line(message);
  const openLibtpms = async () =>
    open ?? (await chooseLibtpms(system.files, options.libtpms)).libtpms;
  const config = tpmConfig(options);
  const parts = { system, config, log, report, openLibtpms };
  const libtpms = await libtpmsFor(parts);
  const store = given ?? await openStore(system, config, report);
  if (given === undefined) closers.defer(() => store.close());
  const { tpm } = await makeChip(parts, libtpms, store, closers);
  turnOn(tpm);
  if (startup === "clear") tpm.startup(startup);
  return {
    tpm,
    // What the TPM gives is valid until its next command only.
    send: async (command) => (await tpm.process(command.slice(), command.length)).slice(),
  };
}

/** Throws where the TPM does not come on; why was told in the log. */
export function turnOn(tpm: Tpm): void {
  if (tpm.start(false) !== 0) throw new Error(`the ${tpm.family.name} could not be turned on`);
}
