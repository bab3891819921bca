// Numbers of TPM 1.2 by name (Part 2), but for ordinals, return codes and capabilities, which have
// files of their own.

import { u16, u32, u8 } from "../kernel/codec.ts";
import { constants } from "../kernel/numbers.ts";

/** Structure tags (3.1). */
export const TPM_TAG = {
  CONTEXTBLOB: 0x0001,
  CONTEXT_SENSITIVE: 0x0002,
  CONTEXTPOINTER: 0x0003,
  CONTEXTLIST: 0x0004,
  SIGNINFO: 0x0005,
  PCR_INFO_LONG: 0x0006,
  PERSISTENT_FLAGS: 0x0007,
  VOLATILE_FLAGS: 0x0008,
  PERSISTENT_DATA: 0x0009,
  VOLATILE_DATA: 0x000a,
  SV_DATA: 0x000b,
  EK_BLOB: 0x000c,
  EK_BLOB_AUTH: 0x000d,
  COUNTER_VALUE: 0x000e,
  TRANSPORT_INTERNAL: 0x000f,
  TRANSPORT_LOG_IN: 0x0010,
  TRANSPORT_LOG_OUT: 0x0011,
  AUDIT_EVENT_IN: 0x0012,
  AUDIT_EVENT_OUT: 0x0013,
  CURRENT_TICKS: 0x0014,
  KEY: 0x0015,
  STORED_DATA12: 0x0016,
  NV_ATTRIBUTES: 0x0017,
  NV_DATA_PUBLIC: 0x0018,
  NV_DATA_SENSITIVE: 0x0019,
  DELEGATIONS: 0x001a,
  DELEGATE_PUBLIC: 0x001b,
  DELEGATE_TABLE_ROW: 0x001c,
  TRANSPORT_AUTH: 0x001d,
  TRANSPORT_PUBLIC: 0x001e,
  PERMANENT_FLAGS: 0x001f,
  STCLEAR_FLAGS: 0x0020,
  STANY_FLAGS: 0x0021,
  PERMANENT_DATA: 0x0022,
  STCLEAR_DATA: 0x0023,
  STANY_DATA: 0x0024,
  FAMILY_TABLE_ENTRY: 0x0025,
  DELEGATE_SENSITIVE: 0x0026,
  DELG_KEY_BLOB: 0x0027,
  KEY12: 0x0028,
  CERTIFY_INFO2: 0x0029,
  DELEGATE_OWNER_BLOB: 0x002a,
  EK_BLOB_ACTIVATE: 0x002b,
  DAA_BLOB: 0x002c,
  DAA_CONTEXT: 0x002d,
  DAA_ENFORCE: 0x002e,
  DAA_ISSUER: 0x002f,
  CAP_VERSION_INFO: 0x0030,
  DAA_SENSITIVE: 0x0031,
  DAA_TPM: 0x0032,
  CMK_MIGAUTH: 0x0033,
  CMK_SIGTICKET: 0x0034,
  CMK_MA_APPROVAL: 0x0035,
  QUOTE_INFO2: 0x0036,
  DA_INFO: 0x0037,
  DA_INFO_LIMITED: 0x0038,
  DA_ACTION_TYPE: 0x0039,
} as const;
export const TPM_STRUCTURE_TAG = constants("TPM_STRUCTURE_TAG", u16, TPM_TAG);

/** Tags of commands and responses: how many authorisations end them (6). */
export const TPM_MESSAGE_TAG = {
  RQU_COMMAND: 0x00c1,
  RQU_AUTH1_COMMAND: 0x00c2,
  RQU_AUTH2_COMMAND: 0x00c3,
  RSP_COMMAND: 0x00c4,
  RSP_AUTH1_COMMAND: 0x00c5,
  RSP_AUTH2_COMMAND: 0x00c6,
} as const;

/** What a handle stands for (4.1). */
export const TPM_RT = {
  KEY: 0x01,
  AUTH: 0x02,
  HASH: 0x03,
  TRANS: 0x04,
  CONTEXT: 0x05,
  COUNTER: 0x06,
  DELEGATE: 0x07,
  DAA_TPM: 0x08,
  DAA_V0: 0x09,
  DAA_V1: 0x0a,
} as const;
export const TPM_RESOURCE_TYPE = constants("TPM_RESOURCE_TYPE", u32, TPM_RT);

/** What an encrypted area holds (4.2). */
export const TPM_PAYLOAD_TYPE = constants("TPM_PAYLOAD_TYPE", u8, {
  ASYM: 0x01,
  BIND: 0x02,
  MIGRATE: 0x03,
  MAINT: 0x04,
  SEAL: 0x05,
  MIGRATE_RESTRICTED: 0x06,
  MIGRATE_EXTERNAL: 0x07,
  CMK_MIGRATE: 0x08,
});

/** Entities (4.3), whose new auth values are encrypted by XOR. */
export const TPM_ET = {
  KEYHANDLE: 0x01,
  OWNER: 0x02,
  DATA: 0x03,
  SRK: 0x04,
  KEY: 0x05,
  REVOKE: 0x06,
  DEL_OWNER_BLOB: 0x07,
  DEL_ROW: 0x08,
  DEL_KEY_BLOB: 0x09,
  COUNTER: 0x0a,
  NV: 0x0b,
  OPERATOR: 0x0c,
} as const;
/** In the upper byte of an entity type: new auth values are encrypted by AES in counter mode. */
export const TPM_ET_AES128_CTR = 0x0600;
export const TPM_ENTITY_TYPE = constants("TPM_ENTITY_TYPE", u16, {
  ...TPM_ET,
  ...Object.fromEntries(
    Object.entries(TPM_ET).map(([name, type]) => [`${name}|AES128_CTR`, TPM_ET_AES128_CTR | type]),
  ),
});

/** Reserved key handles (4.4.1). */
export const TPM_KH = {
  SRK: 0x40000000,
  OWNER: 0x40000001,
  REVOKE: 0x40000002,
  TRANSPORT: 0x40000003,
  OPERATOR: 0x40000004,
  ADMIN: 0x40000005,
  EK: 0x40000006,
} as const;

/** NV indices that the specification has given a purpose (19.1.1 and 19.1.2). */
export const TPM_NV = {
  INDEX0: 0x00000000,
  EKCert: 0x0000f000,
  TPM_CC: 0x0000f001,
  PlatformCert: 0x0000f002,
  Platform_CC: 0x0000f003,
  TRIAL: 0x0000f004,
  DIR: 0x10000001,
  /** Defining it turns on the protection of all others. */
  LOCK: 0xffffffff,
} as const;

/** Startup types (4.5). */
export const TPM_ST = { CLEAR: 0x0001, STATE: 0x0002, DEACTIVATED: 0x0003 } as const;
export const TPM_STARTUP_TYPE = constants("TPM_STARTUP_TYPE", u16, TPM_ST);

/** Protocols (4.7). */
export const TPM_PID = {
  OIAP: 0x0001,
  OSAP: 0x0002,
  ADIP: 0x0003,
  ADCP: 0x0004,
  OWNER: 0x0005,
  DSAP: 0x0006,
  TRANSPORT: 0x0007,
} as const;
export const TPM_PROTOCOL_ID = constants("TPM_PROTOCOL_ID", u16, TPM_PID);

/** Algorithms (4.8). */
export const TPM_ALG = {
  RSA: 0x01,
  DES: 0x02,
  "3DES": 0x03,
  SHA: 0x04,
  HMAC: 0x05,
  AES128: 0x06,
  MGF1: 0x07,
  AES192: 0x08,
  AES256: 0x09,
  XOR: 0x0a,
} as const;
export const TPM_ALGORITHM_ID = constants("TPM_ALGORITHM_ID", u32, TPM_ALG);

/** Ways to migrate a key (4.10). */
export const TPM_MS = {
  MIGRATE: 0x0001,
  REWRAP: 0x0002,
  MAINT: 0x0003,
  RESTRICT_MIGRATE: 0x0004,
  RESTRICT_APPROVE: 0x0005,
} as const;
export const TPM_MIGRATE_SCHEME = constants("TPM_MIGRATE_SCHEME", u16, TPM_MS);

/** What an endorsement key's blob holds (4.11). */
export const TPM_EK = { ACTIVATE: 0x0001, AUTH: 0x0002 } as const;
export const TPM_EK_TYPE = constants("TPM_EK_TYPE", u16, TPM_EK);

/** What a key may be used for (5.8). */
export const TPM_KEY_USE = {
  SIGNING: 0x0010,
  STORAGE: 0x0011,
  IDENTITY: 0x0012,
  AUTHCHANGE: 0x0013,
  BIND: 0x0014,
  LEGACY: 0x0015,
  MIGRATE: 0x0016,
} as const;
export const TPM_KEY_USAGE = constants("TPM_KEY_USAGE", u16, TPM_KEY_USE);

/** Encryption schemes (5.8.1). */
export const TPM_ES = {
  NONE: 0x0001,
  RSAESPKCSv15: 0x0002,
  RSAESOAEP_SHA1_MGF1: 0x0003,
  SYM_CTR: 0x0004,
  SYM_OFB: 0x0005,
  SYM_CBC_PKCS5PAD: 0x00ff,
} as const;
export const TPM_ENC_SCHEME = constants("TPM_ENC_SCHEME", u16, TPM_ES);

/** Signature schemes (5.8.1). */
export const TPM_SS = {
  NONE: 0x0001,
  RSASSAPKCS1v15_SHA1: 0x0002,
  RSASSAPKCS1v15_DER: 0x0003,
  RSASSAPKCS1v15_INFO: 0x0004,
} as const;
export const TPM_SIG_SCHEME = constants("TPM_SIG_SCHEME", u16, TPM_SS);

/** When the use of a key wants an authorisation (5.9). */
export const TPM_AUTH_USE = { NEVER: 0x00, ALWAYS: 0x01, NO_READ_PUBKEY: 0x03 } as const;
export const TPM_AUTH_DATA_USAGE = constants("TPM_AUTH_DATA_USAGE", u8, TPM_AUTH_USE);

/** What a delegation lets its holder do (20.2). */
export const TPM_DEL = { OWNER_BITS: 0x01, KEY_BITS: 0x02 } as const;
export const TPM_DELEGATE_TYPE = constants("TPM_DELEGATE_TYPE", u32, TPM_DEL);

/** What is done with a family of delegations (20.14). */
export const TPM_FAMILY = { CREATE: 0x01, ENABLE: 0x02, ADMIN: 0x03, INVALIDATE: 0x04 } as const;
export const TPM_FAMILY_OPERATION = constants("TPM_FAMILY_OPERATION", u32, TPM_FAMILY);

/** Whether guesses are being answered with a delay (21.9). */
export const TPM_DA_STATE = constants("TPM_DA_STATE", u8, { INACTIVE: 0x00, ACTIVE: 0x01 });
