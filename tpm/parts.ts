// What a chip is made of: what it is given when it comes into being.
import type { NvStore } from "../ffi/callbacks.ts";
import type { LibtpmsFunctions } from "../ffi/libtpms.ts";
import type { StorageLock } from "../state/storage_lock.ts";
import type { Family } from "./family.ts";
import type { Tap } from "./tap.ts";

/** Which localities clients may take. */
export interface LocalityPolicy {
  /** `--locality reject-locality-4` */
  rejectLocality4: boolean;
  /** `--locality allow-set-locality`: the vTPM proxy's SetLocality command is obeyed. */
  allowSetLocality: boolean;
}

export interface TpmParts {
  family: Family;
  libtpms: LibtpmsFunctions;
  /** Where libtpms keeps its state. */
  nvram: NvStore;
  lock: StorageLock;
  /** Has the stored permanent state and its backup change places; false where there is no backup. */
  swapBackup?: (() => boolean) | undefined;
  policy: LocalityPolicy;
  /** Profile for the manufacture of a new TPM 2, as JSON text. */
  profile?: string | undefined;
  /** Called when the chip was turned on; what it throws turns it off again. */
  settle?: (() => void) | undefined;
  /** False where commands never have a prefix, though the version knows it. */
  prefixes?: boolean | undefined;
  /** Whether TPM2_Shutdown is sent before the TPM is turned off. */
  autoShutdown: boolean;
  /** Says what a user should know, once per event. */
  report: (message: string) => void;
  /** What an error is told as; without it, its message. */
  explain?: ((error: unknown) => string) | undefined;
  tap?: Tap | undefined;
}
