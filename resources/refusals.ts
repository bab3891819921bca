// What the resource manager answers by itself: the codes of a TPM that has nothing but the client's own
// (TPM 2.0 Library Part 2, 6.6), and those of its layer where the client has too much.
import { Tpm2, TpmRc } from "../wire/codes.ts";
import { responseHeader } from "../wire/tpm.ts";

/** The layer of a resource manager (TCG TSS 2.0 Overview: TSS2_RESMGR_TPM_RC_LAYER's neighbour). */
const RESMGR_LAYER = 0xb_0000;
export const TOO_MANY_OBJECTS = RESMGR_LAYER | TpmRc.OBJECT_MEMORY;
export const TOO_MANY_SESSIONS = RESMGR_LAYER | TpmRc.SESSION_MEMORY;

/** A handle, or a session, that names nothing; the further ones follow. */
const REFERENCE_H0 = 0x910;
const REFERENCE_S0 = 0x918;

/** The bit of codes that blame a parameter, a handle or a session. */
const FORMAT_ONE = 0x80;

/** Whether what the TPM refused so is none of its own, or never will be again. */
export function isGone(code: number): boolean {
  return (code & FORMAT_ONE) !== 0 || (code >= REFERENCE_H0 && code < REFERENCE_S0 + 8);
}

/** A handle that the TPM could have, but for a parameter's or the `index`th of its kind. */
export const unknownHandle = (index: number) => REFERENCE_H0 + index;
export const unknownSession = (index: number) => REFERENCE_S0 + index;
/** One beyond all that it has. */
export const noHandle = (index: number) => TpmRc.VALUE | (index + 1) << 8;
const PARAMETER_ONE = 0x140;
export const UNKNOWN_PARAMETER = TpmRc.HANDLE | PARAMETER_ONE;
export const NO_PARAMETER = TpmRc.VALUE | PARAMETER_ONE;

/** A response of nothing but a code. */
export function answerOf(code: number): Uint8Array<ArrayBuffer> {
  return responseHeader.encode({ tag: Tpm2.ST_NO_SESSIONS, size: responseHeader.size, code });
}
