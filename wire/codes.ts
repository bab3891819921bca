// Numbers of the TPM specifications and of the control protocol, by their names there.
// Only those that swtpm itself looks at or makes; all of them stand in tcg/, which no start has to load
// for these few.

/**
 * TPM 1.2 result codes. The control protocol and libtpms' own functions answer with these for both
 * versions (TPM Main Part 2, section 16).
 */
export const TpmResult = {
  SUCCESS: 0,
  BAD_PARAMETER: 3,
  FAIL: 9,
  BAD_ORDINAL: 10,
  KEYNOTFOUND: 13,
  NOSPACE: 17,
  SIZE: 23,
  BAD_PARAM_SIZE: 25,
  IOERROR: 31,
  ENCRYPT_ERROR: 32,
  DECRYPT_ERROR: 33,
  INVALID_POSTINIT: 38,
  BAD_KEY_PROPERTY: 40,
  BAD_DATASIZE: 43,
  BAD_VERSION: 46,
  BAD_LOCALITY: 61,
  /** A first of the non-fatal codes: for state, "there is none". */
  RETRY: 0x800,
} as const;

/** TPM 2 response codes (TPM 2.0 Library Part 2, section 6.6). */
export const TpmRc = {
  SUCCESS: 0,
  VALUE: 0x84,
  HANDLE: 0x8b,
  INSUFFICIENT: 0x9a,
  INITIALIZE: 0x100,
  FAILURE: 0x101,
  LOCALITY: 0x107,
  CONTEXT_GAP: 0x901,
  OBJECT_MEMORY: 0x902,
  SESSION_MEMORY: 0x903,
  SESSION_HANDLES: 0x905,
  NV_RANGE: 0x146,
} as const;

/** TPM 1.2 tags and ordinals (TPM Main Part 2, sections 6 and 17). */
export const Tpm12 = {
  TAG_RQU_COMMAND: 0x00c1,
  TAG_RQU_AUTH2_COMMAND: 0x00c3,
  TAG_RSP_COMMAND: 0x00c4,
  ORD_TakeOwnership: 0x0d,
  ORD_CreateWrapKey: 0x1f,
  ORD_CMK_CreateKey: 0x13,
  ORD_SelfTestFull: 0x50,
  ORD_ContinueSelfTest: 0x53,
  ORD_CreateEndorsementKeyPair: 0x78,
  ORD_MakeIdentity: 0x79,
  ORD_CreateRevocableEK: 0x7f,
  ORD_Startup: 0x99,
  ORD_NV_WriteValue: 0xcd,
  ORD_NV_ReadValueAuth: 0xd0,
  ORD_ExecuteTransport: 0xe7,
  ORD_GetTicks: 0xf1,
} as const;

/** TPM 2 tags and command codes (TPM 2.0 Library Part 2, sections 6.5 and 6.9). */
export const Tpm2 = {
  ST_NO_SESSIONS: 0x8001,
  ST_SESSIONS: 0x8002,
  CC_HierarchyControl: 0x121,
  CC_ChangeEPS: 0x124,
  CC_ChangePPS: 0x125,
  CC_Clear: 0x126,
  CC_CreatePrimary: 0x131,
  CC_SequenceComplete: 0x13e,
  CC_SelfTest: 0x143,
  CC_Startup: 0x144,
  CC_Shutdown: 0x145,
  CC_Create: 0x153,
  CC_ContextLoad: 0x161,
  CC_ContextSave: 0x162,
  CC_FlushContext: 0x165,
  CC_StartAuthSession: 0x176,
  CC_GetCapability: 0x17a,
  CC_ReadClock: 0x181,
  CC_EventSequenceComplete: 0x185,
  CC_CreateLoaded: 0x191,
  SU_CLEAR: 0,
  SU_STATE: 1,
  CAP_HANDLES: 1,
  CAP_COMMANDS: 2,
  CAP_TPM_PROPERTIES: 6,
  PT_HR_TRANSIENT_MIN: 0x10e,
  PT_HR_LOADED_MIN: 0x110,
  PT_CONTEXT_GAP_MAX: 0x114,
  SAVED_SESSION_FIRST: 0x03000000,
  /** MAX_ACTIVE_SESSIONS, loaded ones and saved ones. */
  ACTIVE_SESSIONS_MAX: 64,
} as const;

/**
 * The vendor command by which the Linux vTPM proxy driver sets the locality; the same number for
 * both versions (linux/vtpm_proxy.h).
 */
export const CC_SET_LOCALITY = 0x20001000;

/** Localities that a client may ask for are 0 to 4. */
export const LOCALITY_MAX = 4;
