// A chip for tests of what controls it: over a libtpms that does as it is told, with a storage in
// memory, and with the handlers of the control commands.
import { FakeLibtpms } from "../ffi/libtpms_fake.ts";
import { MemoryBackend } from "../state/memory.ts";
import { StorageLock } from "../state/storage_lock.ts";
import { StateStore } from "../state/store.ts";
import { tpm2 } from "../tpm/family.ts";
import type { TpmParts } from "../tpm/parts.ts";
import { Tpm } from "../tpm/tpm.ts";
import { type HandlerParts, makeHandlers } from "./handlers.ts";

export interface FakeChipSetup
  extends Partial<Pick<TpmParts, "family" | "policy" | "prefixes" | "report">> {
  running?: boolean;
  backend?: MemoryBackend;
  dataPlace?: HandlerParts["dataPlace"];
  leave?: () => void;
}

export function fakeChip({
  family = tpm2,
  policy = { rejectLocality4: false, allowSetLocality: false },
  report = () => {},
  running = false,
  backend = new MemoryBackend(),
  dataPlace,
  leave = () => {},
  prefixes,
}: FakeChipSetup) {
  const libtpms = new FakeLibtpms();
  const store = new StateStore(backend);
  const lock = new StorageLock(backend, false);
  const tpm = new Tpm({
    ...{ family, libtpms, nvram: store, lock, policy, prefixes, autoShutdown: true, report },
  });
  if (running) tpm.start(false);
  const handlers = makeHandlers({ tpm, store, lock, dataPlace, leave, report });
  return { libtpms, backend, store, lock, tpm, handlers, report };
}
