// Attributes, bit by bit (Part 2, 8 and 13.4). A value keeps its reserved bits.

import { flags } from "../kernel/numbers.ts";
import { u32, u8 } from "../kernel/codec.ts";

/** Of an algorithm (8.2). */
export const TPMA_ALGORITHM = flags("TPMA_ALGORITHM", u32, {
  asymmetric: 0,
  symmetric: 1,
  hash: 2,
  object: 3,
  signing: 8,
  encrypting: 9,
  method: 10,
});

/** Of an object (8.3). */
export const TPMA_OBJECT = flags("TPMA_OBJECT", u32, {
  fixedTPM: 1,
  stClear: 2,
  fixedParent: 4,
  sensitiveDataOrigin: 5,
  userWithAuth: 6,
  adminWithPolicy: 7,
  firmwareLimited: 8,
  svnLimited: 9,
  noDA: 10,
  encryptedDuplication: 11,
  restricted: 16,
  decrypt: 17,
  sign: 18,
  x509sign: 19,
});

/** Of a session in one command or response (8.4). */
export const TPMA_SESSION = flags("TPMA_SESSION", u8, {
  continueSession: 0,
  auditExclusive: 1,
  auditReset: 2,
  decrypt: 5,
  encrypt: 6,
  audit: 7,
});

/** Localities; a number from 32 on is an extended one (8.5). */
export const TPMA_LOCALITY = flags("TPMA_LOCALITY", u8, {
  TPM_LOC_ZERO: 0,
  TPM_LOC_ONE: 1,
  TPM_LOC_TWO: 2,
  TPM_LOC_THREE: 3,
  TPM_LOC_FOUR: 4,
  extended: [5, 7],
});

/** What lasts (8.6). */
export const TPMA_PERMANENT = flags("TPMA_PERMANENT", u32, {
  ownerAuthSet: 0,
  endorsementAuthSet: 1,
  lockoutAuthSet: 2,
  disableClear: 8,
  inLockout: 9,
  tpmGeneratedEPS: 10,
});

/** What the next start resets (8.7). */
export const TPMA_STARTUP_CLEAR = flags("TPMA_STARTUP_CLEAR", u32, {
  phEnable: 0,
  shEnable: 1,
  ehEnable: 2,
  phEnableNV: 3,
  readOnly: 4,
  orderly: 31,
});

/** How the TPM uses its memory (8.8). */
export const TPMA_MEMORY = flags("TPMA_MEMORY", u32, {
  sharedRAM: 0,
  sharedNV: 1,
  objectCopiedToRam: 2,
});

/** Of a command (8.9). */
export const TPMA_CC = flags("TPMA_CC", u32, {
  commandIndex: [0, 15],
  nv: 22,
  extensive: 23,
  flushed: 24,
  cHandles: [25, 27],
  rHandle: 28,
  V: 29,
});

/** What the TPM is certified for (8.10). */
export const TPMA_MODES = flags("TPMA_MODES", u32, { FIPS_140_2: 0, FIPS_140_3: 1 });

/** Of an authenticated countdown timer (8.12). */
export const TPMA_ACT = flags("TPMA_ACT", u32, { signaled: 0, preserveSignaled: 1 });

/** Of an NV index (13.4); TPM_NT is its type. */
export const TPMA_NV = flags("TPMA_NV", u32, {
  PPWRITE: 0,
  OWNERWRITE: 1,
  AUTHWRITE: 2,
  POLICYWRITE: 3,
  TPM_NT: [4, 7],
  POLICY_DELETE: 10,
  WRITELOCKED: 11,
  WRITEALL: 12,
  WRITEDEFINE: 13,
  WRITE_STCLEAR: 14,
  GLOBALLOCK: 15,
  PPREAD: 16,
  OWNERREAD: 17,
  AUTHREAD: 18,
  POLICYREAD: 19,
  NO_DA: 25,
  ORDERLY: 26,
  CLEAR_STCLEAR: 27,
  READLOCKED: 28,
  WRITTEN: 29,
  PLATFORMCREATE: 30,
  READ_STCLEAR: 31,
});
