// The states that GET_STATEBLOB hands out: those that a running TPM has in memory. The stored ones
// are the same, or should be; where a permanent one was removed, replaced or could not be stored,
// a migration brings along what the guest was told of.
import type { StateName } from "../state/backend.ts";
import type { StateStore } from "../state/store.ts";
import type { Tpm } from "../tpm/tpm.ts";

/** Bytes of a TPM 2's clock, which goes on in memory until the next store. */
const CLOCK_SIZE = 8;

export interface ExportParts {
  tpm: Tpm;
  store: StateStore;
  report: (message: string) => void;
}

export class StateExport {
  /** What was told last of a stored state that is another one. */
  #told: string | undefined;

  constructor(private readonly parts: ExportParts) {}

  /** A state as a blob; undefined where there is none. */
  blob(name: StateName, decrypted: boolean): ReturnType<StateStore["exportBlob"]> {
    const { tpm, store } = this.parts;
    switch (name) {
      case "permall": {
        const state = tpm.permanentState();
        this.#compare(state);
        return store.exportBlob(name, decrypted, state);
      }
      case "volatilestate":
        try {
          return store.exportBlob(name, decrypted, tpm.volatileState());
        } finally {
          store.remove(name, false); // whoever takes it over goes on with it, nobody here
        }
      case "savestate":
        return store.exportBlob(name, decrypted);
    }
  }

  #compare(state: Uint8Array): void {
    const difference = this.#difference(state);
    if (difference !== undefined && difference !== this.#told) {
      this.parts.report(
        `The permanent state is handed out as the TPM has it in memory, as ${difference}`,
      );
    }
    this.#told = difference;
  }

  #difference(state: Uint8Array): string | undefined {
    const { store } = this.parts;
    const what = store.backend.nameOf("permall");
    if (store.isBehind("permall")) return `it could not be stored in ${what}`;
    try {
      const stored = store.load("permall");
      if (stored === undefined) return `${what} is gone`;
      return isSameButForClock(stored, state) ? undefined : `${what} is another one`;
    } catch (error) {
      return `the stored one cannot be read: ${(error as Error).message}`;
    }
  }
}

function isSameButForClock(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  const first = one.findIndex((byte, index) => byte !== other[index]);
  const last = one.findLastIndex((byte, index) => byte !== other[index]);
  return first < 0 || last - first < CLOCK_SIZE;
}
