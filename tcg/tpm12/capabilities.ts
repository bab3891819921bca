// What TPM_GetCapability and TPM_SetCapability are asked about (Part 2, 21).

import { u32 } from "../kernel/codec.ts";
import { constants } from "../kernel/numbers.ts";

/** Capability areas (21.1). */
export const TPM_CAP = {
  ORD: 0x01,
  ALG: 0x02,
  PID: 0x03,
  FLAG: 0x04,
  PROPERTY: 0x05,
  VERSION: 0x06,
  KEY_HANDLE: 0x07,
  CHECK_LOADED: 0x08,
  SYM_MODE: 0x09,
  KEY_STATUS: 0x0c,
  NV_LIST: 0x0d,
  MFR: 0x10,
  NV_INDEX: 0x11,
  TRANS_ALG: 0x12,
  HANDLE: 0x14,
  TRANS_ES: 0x15,
  AUTH_ENCRYPT: 0x17,
  SELECT_SIZE: 0x18,
  DA_LOGIC: 0x19,
  VERSION_VAL: 0x1a,
} as const;
export const TPM_CAPABILITY_AREA = constants("TPM_CAPABILITY_AREA", u32, TPM_CAP);

/** Which flags the area FLAG has (21.1). */
export const TPM_CAP_FLAG = { PERMANENT: 0x108, VOLATILE: 0x109 } as const;
export const TPM_CAP_FLAG_ID = constants("TPM_CAP_FLAG", u32, TPM_CAP_FLAG);

/** Properties (21.2). */
export const TPM_CAP_PROP = {
  PCR: 0x101,
  DIR: 0x102,
  MANUFACTURER: 0x103,
  KEYS: 0x104,
  MIN_COUNTER: 0x107,
  AUTHSESS: 0x10a,
  TRANSESS: 0x10b,
  COUNTERS: 0x10c,
  MAX_AUTHSESS: 0x10d,
  MAX_TRANSESS: 0x10e,
  MAX_COUNTERS: 0x10f,
  MAX_KEYS: 0x110,
  OWNER: 0x111,
  CONTEXT: 0x112,
  MAX_CONTEXT: 0x113,
  FAMILYROWS: 0x114,
  TIS_TIMEOUT: 0x115,
  STARTUP_EFFECT: 0x116,
  DELEGATE_ROW: 0x117,
  MAX_DAASESS: 0x119,
  DAASESS: 0x11a,
  CONTEXT_DIST: 0x11b,
  DAA_INTERRUPT: 0x11c,
  SESSIONS: 0x11d,
  MAX_SESSIONS: 0x11e,
  CMK_RESTRICTION: 0x11f,
  DURATION: 0x120,
  ACTIVE_COUNTER: 0x122,
  MAX_NV_AVAILABLE: 0x123,
  INPUT_BUFFER: 0x124,
} as const;
export const TPM_CAP_PROP_ID = constants("TPM_CAP_PROP", u32, TPM_CAP_PROP);

/** What can be set (21.4). */
export const TPM_SET = {
  PERM_FLAGS: 0x01,
  PERM_DATA: 0x02,
  STCLEAR_FLAGS: 0x03,
  STCLEAR_DATA: 0x04,
  STANY_FLAGS: 0x05,
  STANY_DATA: 0x06,
  VENDOR: 0x07,
} as const;
export const TPM_SET_AREA = constants("TPM_SET", u32, TPM_SET);
