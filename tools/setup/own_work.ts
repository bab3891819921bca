// A TPM that is made in this very process, its state in memory until it is whole.
import { Log } from "../../daemon/output/log.ts";
import { openStore } from "../../daemon/chip/storage.ts";
import type { System } from "../../daemon/system.ts";
import type { Libtpms } from "../../ffi/libtpms.ts";
import type { TpmWish } from "../own_tpm/options.ts";
import { openPrivateTpm } from "../own_tpm/private_tpm.ts";
import type { TpmAtWork } from "./maker.ts";

const MEMORY = {
  ...{ place: { kind: "memory" } as const, mode: undefined },
  ...{ lock: false, backup: false, fsync: false },
};

/**
 * Turns it on by `libtpms`, where that is open already; `state` is what an existing TPM goes on from, as
 * it is stored.
 */
export async function openOwnWork(
  system: System,
  options: TpmWish,
  libtpms: Libtpms | undefined,
  state: Uint8Array<ArrayBuffer> | undefined,
  report: (message: string) => void,
  closers: DisposableStack,
): Promise<TpmAtWork> {
  const config = {
    state: MEMORY,
    tpm2: options.tpm2,
    key: options.key,
    migrationKey: undefined,
  };
  const store = closers.adopt(await openStore(system, config, report), (store) => store.close());
  if (state !== undefined) store.backend.store("permall", state);
  const log = await Log.open(system.files, undefined);
  const on = closers.use(new DisposableStack());
  const { tpm, send } = await openPrivateTpm({ system, options, libtpms, log, store }, on);
  return {
    send,
    info: (flags) => Promise.resolve(tpm.info(flags) ?? "{}"),
    finish: () => {
      on.dispose();
      const made = store.backend.load("permall");
      if (made === undefined) throw new Error("the TPM has no permanent state");
      return Promise.resolve(made);
    },
  };
}
