// The port behind which state outlives the process: named byte strings, replaced as a whole, and a
// lock on all of them. What the bytes are is the envelope's affair.

/** libtpms' names for what it stores (libtpms/tpm_nvfilename.h). */
export const STATE_NAMES = ["permall", "volatilestate", "savestate"] as const;
export type StateName = typeof STATE_NAMES[number];

/** Narrows a name that came from C. */
export function isStateName(name: string): name is StateName {
  return (STATE_NAMES as readonly string[]).includes(name);
}

/**
 * Largest state that is read or accepted, in bytes: libtpms' largest (a TPM 2 with full NV and all
 * sessions) stays below 300 KiB; a file of more is not ours.
 */
export const STATE_MAX = 1024 * 1024;

/** One place where states are kept. Every method may throw StateError or SystemError. */
export interface Backend {
  /** What messages call it: `dir:///var/lib/tpm`. */
  readonly uri: string;
  /** What messages call one of its states, found or not. */
  nameOf(name: StateName): string;
  /** Readies the backend before the first access; called again at every start of the TPM. */
  prepare(): void;
  load(name: StateName): Uint8Array<ArrayBuffer> | undefined;
  /** Replaces the state; on failure the old one is whole. */
  store(name: StateName, bytes: Uint8Array<ArrayBuffer>): void;
  /** Removes the state; false where there was none. */
  remove(name: StateName): boolean;
  /** Stored size in bytes, or undefined where there is no such state. */
  size(name: StateName): number | undefined;
  /** The permanent state and its backup change places; false where there is no backup. */
  swapBackup(): boolean;
  readonly locked: boolean;
  /** Tries once to take the lock that excludes other processes. */
  lock(): void;
  unlock(): void;
  /** Gives everything back at the end of the process. */
  close(): void;
}
