// What the files of a state directory are called, as by the C program.

/** The file whose lock keeps other processes out. */
export const LOCK_NAME = ".lock";

/** What the names of a TPM's states begin with: a TPM 1.2 and a TPM 2 may share a directory. */
export function prefixOf(tpm2: boolean): string {
  return tpm2 ? "tpm2-00." : "tpm-00.";
}

/** The same for states that are being written. */
export function tempPrefixOf(tpm2: boolean): string {
  return tpm2 ? "TMP2-00." : "TMP-00.";
}

/** Whether a file is a state, or the backup of one. */
export function isState(name: string): boolean {
  return [true, false].some((tpm2) => name.startsWith(prefixOf(tpm2)));
}

/** Whether a file is one of ours: a state, one that is being written, the lock. */
export function isOurs(name: string): boolean {
  return name === LOCK_NAME || isState(name) ||
    [true, false].some((tpm2) => name.startsWith(tempPrefixOf(tpm2)));
}
