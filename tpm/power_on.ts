// How the chip is turned on: the storage is taken, libtpms initialised, from the backup of its state
// where it cannot be otherwise. Whatever fails is told, and the storage given back.
import { resultOf } from "../ffi/callbacks.ts";
import { TpmResult } from "../wire/codes.ts";
import type { TpmParts } from "./parts.ts";

/** Chooses the version in libtpms; false where the library was built without it. */
export function choose({ libtpms, family }: TpmParts): boolean {
  return libtpms.chooseVersion(family.libtpmsVersion) === TpmResult.SUCCESS;
}

/** Turns the chip on, and returns the TPM result. `profile` is for a TPM that is made now. */
export function powerOn(
  parts: TpmParts,
  profile: string | undefined,
  deleteVolatile: boolean,
): number {
  const { libtpms, family, lock, report } = parts;
  if (!choose(parts)) {
    report(`libtpms was built without ${family.name}`);
    return TpmResult.FAIL;
  }
  if (profile !== undefined) {
    const result = libtpms.setProfile(profile);
    if (result !== TpmResult.SUCCESS) {
      report(`libtpms does not accept the profile '${profile}'`);
      return result;
    }
  }
  let result = takeStorage(parts);
  if (result === TpmResult.SUCCESS) result = init(parts, profile !== undefined, deleteVolatile);
  if (result !== TpmResult.SUCCESS) lock.startFailed();
  return result;
}

/** Before anything is read: what others stored meanwhile would be lost with our next store. */
function takeStorage(parts: TpmParts): number {
  const { nvram, lock, report } = parts;
  lock.prepare();
  try {
    nvram.prepare();
  } catch (error) {
    return resultOf(error); // the store has told of it
  }
  try {
    lock.atStart();
  } catch (error) {
    report(told(parts, error));
    return resultOf(error);
  }
  return TpmResult.SUCCESS;
}

function init(parts: TpmParts, profiled: boolean, deleteVolatile: boolean): number {
  const { libtpms, nvram, report } = parts;
  let result = libtpms.mainInit();
  if (result !== TpmResult.SUCCESS) result = initFromBackup(parts, result);
  if (result !== TpmResult.SUCCESS) return result;
  if (profiled && !libtpms.wasManufactured()) {
    report("The profile could not be applied to an existing TPM 2 instance");
    return TpmResult.FAIL;
  }
  try {
    if (deleteVolatile) nvram.remove("volatilestate", false);
    parts.settle?.();
  } catch (error) {
    report(told(parts, error));
    libtpms.terminate();
    return resultOf(error);
  }
  return TpmResult.SUCCESS;
}

/** Tries once more with the state before the last one; without success all is as it was. */
function initFromBackup(parts: TpmParts, failure: number): number {
  const { libtpms, swapBackup, report } = parts;
  try {
    if (swapBackup?.() !== true) return failure;
    report("The permanent state cannot be used; its backup takes its place");
    libtpms.terminate();
    const result = libtpms.mainInit();
    if (result !== TpmResult.SUCCESS) swapBackup();
    return result;
  } catch (error) {
    report(`Could not exchange the permanent state for its backup: ${told(parts, error)}`);
    return resultOf(error);
  }
}

function told({ explain }: TpmParts, error: unknown): string {
  return explain?.(error) ?? (error as Error).message;
}
