// Numbers of TPM 2.0 by name (Part 2, 6 and 7), but for algorithms, command codes, response codes
// and properties, which have files of their own.

import { i8, u16, u32, u8 } from "../kernel/codec.ts";
import { constants } from "../kernel/numbers.ts";

/** What begins each structure that the TPM attests to (6.2): 0xff "TCG". */
export const TPM_GENERATED_VALUE = 0xff544347;
export const TPM_GENERATED = constants("TPM_GENERATED", u32, { VALUE: TPM_GENERATED_VALUE });

/** Operations of arithmetic comparison (6.8). */
export const TPM_EO_OPERATION = {
  EQ: 0x0000,
  NEQ: 0x0001,
  SIGNED_GT: 0x0002,
  UNSIGNED_GT: 0x0003,
  SIGNED_LT: 0x0004,
  UNSIGNED_LT: 0x0005,
  SIGNED_GE: 0x0006,
  UNSIGNED_GE: 0x0007,
  SIGNED_LE: 0x0008,
  UNSIGNED_LE: 0x0009,
  BITSET: 0x000a,
  BITCLEAR: 0x000b,
} as const;
export const TPM_EO = constants("TPM_EO", u16, TPM_EO_OPERATION);

/** Structure tags (6.9). */
export const TPM_ST = {
  RSP_COMMAND: 0x00c4,
  NULL: 0x8000,
  NO_SESSIONS: 0x8001,
  SESSIONS: 0x8002,
  ATTEST_NV: 0x8014,
  ATTEST_COMMAND_AUDIT: 0x8015,
  ATTEST_SESSION_AUDIT: 0x8016,
  ATTEST_CERTIFY: 0x8017,
  ATTEST_QUOTE: 0x8018,
  ATTEST_TIME: 0x8019,
  ATTEST_CREATION: 0x801a,
  ATTEST_NV_DIGEST: 0x801c,
  CREATION: 0x8021,
  VERIFIED: 0x8022,
  AUTH_SECRET: 0x8023,
  HASHCHECK: 0x8024,
  AUTH_SIGNED: 0x8025,
  FU_MANIFEST: 0x8029,
} as const;
export const TPM_ST_TAG = constants("TPM_ST", u16, TPM_ST);
export const TPMI_ST_ATTEST = constants("TPMI_ST_ATTEST", u16, TPM_ST);
export const TPMI_ST_COMMAND_TAG = constants("TPMI_ST_COMMAND_TAG", u16, TPM_ST);

/** Startup types (6.10). */
export const TPM_SU = { CLEAR: 0x0000, STATE: 0x0001 } as const;
export const TPM_SU_TYPE = constants("TPM_SU", u16, TPM_SU);

/** Session types (6.11). */
export const TPM_SE = { HMAC: 0x00, POLICY: 0x01, TRIAL: 0x03 } as const;
export const TPM_SE_TYPE = constants("TPM_SE", u8, TPM_SE);

/** Capabilities (6.12). */
export const TPM_CAP = {
  ALGS: 0x00000000,
  HANDLES: 0x00000001,
  COMMANDS: 0x00000002,
  PP_COMMANDS: 0x00000003,
  AUDIT_COMMANDS: 0x00000004,
  PCRS: 0x00000005,
  TPM_PROPERTIES: 0x00000006,
  PCR_PROPERTIES: 0x00000007,
  ECC_CURVES: 0x00000008,
  AUTH_POLICIES: 0x00000009,
  ACT: 0x0000000a,
  PUB_KEYS: 0x0000000b,
  SPDM_SESSION_INFO: 0x0000000c,
  VENDOR_PROPERTY: 0x00000100,
} as const;
export const TPM_CAP_ID = constants("TPM_CAP", u32, TPM_CAP);

/** How the clock's rate is to be changed (6.7). */
export const TPM_CLOCK_ADJUST = constants("TPM_CLOCK_ADJUST", i8, {
  COARSE_SLOWER: -3,
  MEDIUM_SLOWER: -2,
  FINE_SLOWER: -1,
  NO_CHANGE: 0,
  FINE_FASTER: 1,
  MEDIUM_FASTER: 2,
  COARSE_FASTER: 3,
});

/** Handle types: the most significant byte of a handle (7.2). */
export const TPM_HT = {
  PCR: 0x00,
  NV_INDEX: 0x01,
  HMAC_SESSION: 0x02,
  POLICY_SESSION: 0x03,
  EXTERNAL_NV: 0x11,
  PERMANENT_NV: 0x12,
  PERMANENT: 0x40,
  TRANSIENT: 0x80,
  PERSISTENT: 0x81,
  AC: 0x90,
} as const;
export const TPM_HT_TYPE = constants("TPM_HT", u8, TPM_HT);

/** Permanent handles (7.4). */
export const TPM_RH = {
  SRK: 0x40000000,
  OWNER: 0x40000001,
  REVOKE: 0x40000002,
  TRANSPORT: 0x40000003,
  OPERATOR: 0x40000004,
  ADMIN: 0x40000005,
  EK: 0x40000006,
  NULL: 0x40000007,
  UNASSIGNED: 0x40000008,
  /** The session handle of an authorisation by password. */
  PW: 0x40000009,
  LOCKOUT: 0x4000000a,
  ENDORSEMENT: 0x4000000b,
  PLATFORM: 0x4000000c,
  PLATFORM_NV: 0x4000000d,
  AUTH_00: 0x40000010,
  AUTH_FF: 0x4000010f,
  ACT_0: 0x40000110,
  ACT_F: 0x4000011f,
  FW_OWNER: 0x40000140,
  FW_ENDORSEMENT: 0x40000141,
  FW_PLATFORM: 0x40000142,
  FW_NULL: 0x40000143,
} as const;

/** Types of NV indices, the part TPM_NT of their attributes (13.2). */
export const TPM_NT = {
  ORDINARY: 0x0,
  COUNTER: 0x1,
  BITS: 0x2,
  EXTEND: 0x4,
  PIN_FAIL: 0x8,
  PIN_PASS: 0x9,
} as const;
