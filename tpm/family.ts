// TPM 1.2 and TPM 2 as two values: everything in which the emulator treats them differently.
// What the commands mean is libtpms' affair.
import type { LibtpmsVersion } from "../ffi/libtpms.ts";
import { CC_SET_LOCALITY, Tpm12, Tpm2, TpmRc, TpmResult } from "../wire/codes.ts";
import { responseHeader, startupCommand } from "../wire/tpm.ts";
import { isBeyondNv } from "./nv_bounds.ts";
import { endSavedSessions } from "./saved_sessions.ts";
import { isLongTpm12, isLongTpm2 } from "./long_commands.ts";

export type StartupType = "clear" | "state" | "deactivated";

/** Reasons for which swtpm itself answers a TPM command. */
export type LocalAnswer = "success" | "failure" | "badLocality" | "tooShort" | "beyondNv";

export interface Family {
  readonly name: "TPM 1.2" | "TPM 2";
  readonly libtpmsVersion: LibtpmsVersion;
  /** Whether commands may have a send-command prefix. */
  readonly prefixed: boolean;
  /** The tag of responses without sessions. */
  readonly responseTag: number;
  readonly answers: Readonly<Record<LocalAnswer, number>>;
  /** Startup command per type; undefined where the version has no such type. */
  readonly startup: Readonly<Record<StartupType, Uint8Array<ArrayBuffer> | undefined>>;
  readonly startupCode: number;
  /** Ends what clients of an earlier life left behind; not for a TPM 1.2, which keeps nothing. */
  readonly endSavedSessions?: typeof endSavedSessions;
  /** What brings the TPM down in order, the better one first; none for TPM 1.2. */
  readonly shutdown: readonly Uint8Array<ArrayBuffer>[];
  readonly shutdownCode: number | undefined;
  /** Result with which a TPM says that it was not started up, so needs no shutdown. */
  readonly notStarted: number;
  /** Whether a command of that code and size may take long, and therefore runs beside the loop. */
  readonly isLong: (code: number, command: Uint8Array, size: number) => boolean;
  /** Whether libtpms would look for its bytes outside of its memory; not for a TPM 2. */
  readonly isBeyondNv?: (code: number, command: Uint8Array, size: number) => boolean;
}

function startup(tag: number, code: number, type: number): Uint8Array<ArrayBuffer> {
  return startupCommand.encode({ tag, size: startupCommand.size, code, type });
}

export const tpm12: Family = {
  name: "TPM 1.2",
  libtpmsVersion: 0,
  prefixed: false,
  responseTag: Tpm12.TAG_RSP_COMMAND,
  answers: {
    success: TpmResult.SUCCESS,
    failure: TpmResult.FAIL,
    badLocality: TpmResult.BAD_LOCALITY,
    tooShort: TpmResult.BAD_PARAM_SIZE,
    beyondNv: TpmResult.NOSPACE,
  },
  startup: {
    clear: startup(Tpm12.TAG_RQU_COMMAND, Tpm12.ORD_Startup, 1),
    state: startup(Tpm12.TAG_RQU_COMMAND, Tpm12.ORD_Startup, 2),
    deactivated: startup(Tpm12.TAG_RQU_COMMAND, Tpm12.ORD_Startup, 3),
  },
  startupCode: Tpm12.ORD_Startup,
  shutdown: [],
  shutdownCode: undefined,
  notStarted: TpmResult.INVALID_POSTINIT,
  isLong: isLongTpm12,
  isBeyondNv,
};

export const tpm2: Family = {
  name: "TPM 2",
  libtpmsVersion: 1,
  prefixed: true,
  responseTag: Tpm2.ST_NO_SESSIONS,
  answers: {
    success: TpmRc.SUCCESS,
    failure: TpmRc.FAILURE,
    badLocality: TpmRc.LOCALITY,
    tooShort: TpmRc.INSUFFICIENT,
    beyondNv: TpmRc.NV_RANGE,
  },
  startup: {
    clear: startup(Tpm2.ST_NO_SESSIONS, Tpm2.CC_Startup, Tpm2.SU_CLEAR),
    state: startup(Tpm2.ST_NO_SESSIONS, Tpm2.CC_Startup, Tpm2.SU_STATE),
    deactivated: undefined,
  },
  startupCode: Tpm2.CC_Startup,
  endSavedSessions,
  shutdown: [
    startup(Tpm2.ST_NO_SESSIONS, Tpm2.CC_Shutdown, Tpm2.SU_STATE),
    startup(Tpm2.ST_NO_SESSIONS, Tpm2.CC_Shutdown, Tpm2.SU_CLEAR),
  ],
  shutdownCode: Tpm2.CC_Shutdown,
  notStarted: TpmRc.INITIALIZE,
  isLong: isLongTpm2,
};

/** A response of swtpm's own: nothing but a header. */
export function localResponse(family: Family, answer: LocalAnswer): Uint8Array<ArrayBuffer> {
  return responseHeader.encode({
    tag: family.responseTag,
    size: responseHeader.size,
    code: family.answers[answer],
  });
}

/** Whether a command is the vTPM proxy's, which never reaches libtpms. */
export function isSetLocality(code: number): boolean {
  return code === CC_SET_LOCALITY;
}
