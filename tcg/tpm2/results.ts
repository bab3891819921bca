// Response codes: their names, which handle, session or parameter they are about, and what they
// mean (Part 2, 6.6). A code of format 1 carries a position, one of format 0 does not.

import { u32 } from "../kernel/codec.ts";
import { constants } from "../kernel/numbers.ts";
import { codesOf, meaningsOf } from "../kernel/result_table.ts";

/** Format 0: errors. */
const ERRORS = {
  INITIALIZE: [0x100, "the TPM wants TPM2_Startup first, or has had it already"],
  FAILURE: [0x101, "the TPM is in failure mode and does not do commands any more"],
  SEQUENCE: [0x103, "a sequence handle is used in a way that does not fit it"],
  PRIVATE: [0x10b, "the private area is not in use at present"],
  HMAC: [0x119, "the HMAC is not in use at present"],
  DISABLED: [0x120, "the command or its hierarchy is disabled"],
  EXCLUSIVE: [0x121, "the exclusive audit session was interrupted by another command"],
  AUTH_TYPE: [0x124, "the handle cannot be authorised in this way"],
  AUTH_MISSING: [0x125, "the command wants an authorisation for one of its handles"],
  POLICY: [0x126, "the policy does not hold, or what it compares cannot be compared"],
  PCR: [0x127, "the PCR does not fit the check"],
  PCR_CHANGED: [0x128, "a PCR has changed since the policy looked at it"],
  UPGRADE: [0x12d, "the TPM waits for the rest of a field upgrade"],
  TOO_MANY_CONTEXTS: [0x12e, "the counter of saved contexts has run out"],
  AUTH_UNAVAILABLE: [0x12f, "the entity has no auth value or policy that could be used"],
  REBOOT: [0x130, "the TPM wants to be reset and started before it goes on"],
  UNBALANCED: [0x131, "the hash and the key size of the protection do not fit each other"],
  COMMAND_SIZE: [0x142, "the header's size is not that of the command"],
  COMMAND_CODE: [0x143, "the TPM does not know the command"],
  AUTHSIZE: [0x144, "the size of the authorisation area does not fit, or too many are there"],
  AUTH_CONTEXT: [0x145, "authorisations go with a command that takes none"],
  NV_RANGE: [0x146, "offset and size reach beyond the NV index"],
  NV_SIZE: [0x147, "the size does not fit the NV index"],
  NV_LOCKED: [0x148, "the NV index is locked"],
  NV_AUTHORIZATION: [0x149, "this authorisation may not do that with the NV index"],
  NV_UNINITIALIZED: [0x14a, "the NV index was not written yet"],
  NV_SPACE: [0x14b, "there is no room in the TPM's NV memory"],
  NV_DEFINED: [0x14c, "the NV index or persistent handle is there already"],
  BAD_CONTEXT: [0x150, "the saved context is not one that can be loaded"],
  CPHASH: [0x151, "the session is already bound to other parameters"],
  PARENT: [0x152, "the handle is not one of a parent"],
  NEEDS_TEST: [0x153, "a function that is wanted must be tested first"],
  NO_RESULT: [0x154, "the calculation has no result"],
  SENSITIVE: [0x155, "the sensitive area does not fit"],
  READ_ONLY: [0x156, "the TPM is read-only at present"],
} as const;

/** Format 1: errors of a handle, a session or a parameter. */
const POSITIONED = {
  ASYMMETRIC: [0x081, "the asymmetric algorithm is not supported or not right here"],
  ATTRIBUTES: [0x082, "the attributes do not fit each other or the use"],
  HASH: [0x083, "the hash algorithm is not supported or not right here"],
  VALUE: [0x084, "the value is out of range or does not fit its context"],
  HIERARCHY: [0x085, "the hierarchy is not enabled or not right here"],
  KEY_SIZE: [0x087, "the key size is not supported"],
  MGF: [0x088, "the mask generation function is not supported"],
  MODE: [0x089, "the mode of operation is not supported"],
  TYPE: [0x08a, "the type does not fit the use"],
  HANDLE: [0x08b, "the handle does not fit the use, or nothing has it"],
  KDF: [0x08c, "the key derivation function is not supported or not right here"],
  RANGE: [0x08d, "the value is out of the allowed range"],
  AUTH_FAIL: [0x08e, "the password or HMAC is wrong; the failure counts against guessing"],
  NONCE: [0x08f, "the nonce has a wrong size or value"],
  PP: [0x090, "physical presence is wanted"],
  SCHEME: [0x092, "the scheme is not supported or does not fit the key"],
  SIZE: [0x095, "the size of the structure does not fit"],
  SYMMETRIC: [0x096, "the symmetric algorithm or key size is not supported or not right here"],
  TAG: [0x097, "the structure's tag is not right here"],
  SELECTOR: [0x098, "the union's selector is not right here"],
  INSUFFICIENT: [0x09a, "the command ended before all values were there"],
  SIGNATURE: [0x09b, "the signature is not valid"],
  KEY: [0x09c, "the key's fields do not fit the use"],
  POLICY_FAIL: [0x09d, "the policy session does not hold what the policy wants"],
  INTEGRITY: [0x09f, "the integrity check failed: the data are not this TPM's or were changed"],
  TICKET: [0x0a0, "the ticket is not valid"],
  RESERVED_BITS: [0x0a1, "reserved bits are not zero"],
  BAD_AUTH: [0x0a2, "the password or HMAC is wrong; guessing is not counted here"],
  EXPIRED: [0x0a3, "the policy has expired"],
  POLICY_CC: [0x0a4, "the policy is for another command"],
  BINDING: [0x0a5, "public and sensitive area do not belong together"],
  CURVE: [0x0a6, "the curve is not supported"],
  ECC_POINT: [0x0a7, "the point is not on the curve"],
  FW_LIMITED: [0x0a8, "the hierarchy is limited to another firmware"],
  SVN_LIMITED: [0x0a9, "the hierarchy is limited to a newer security version"],
  CHANNEL: [0x0b0, "the command wants a secure channel"],
  CHANNEL_KEY: [0x0b1, "the secure channel was made with another key"],
} as const;

/** Format 0: warnings; the command can be repeated when the cause is gone. */
const WARNINGS = {
  CONTEXT_GAP: [0x901, "the oldest saved session must be loaded before others can be saved"],
  OBJECT_MEMORY: [0x902, "there is no room for another object; one must be flushed"],
  SESSION_MEMORY: [0x903, "there is no room for another session; one must be flushed or saved"],
  MEMORY: [0x904, "there is no memory for the command"],
  SESSION_HANDLES: [0x905, "all session handles are taken; a session must be flushed"],
  OBJECT_HANDLES: [0x906, "all object handles are taken"],
  LOCALITY: [0x907, "the command is not allowed from this locality"],
  YIELDED: [0x908, "the TPM has interrupted the command; it can be sent again"],
  CANCELED: [0x909, "the command was cancelled"],
  TESTING: [0x90a, "the TPM is testing itself; the command can be sent again"],
  NV_RATE: [0x920, "NV memory is written too often; the command can be sent again later"],
  LOCKOUT: [0x921, "the TPM is locked out after wrong guesses"],
  RETRY: [0x922, "the TPM could not start the command; it can be sent again"],
  NV_UNAVAILABLE: [0x923, "NV memory cannot be written at present"],
  NOT_USED: [0x97f, "this code is not used"],
} as const;

const REFERENCED = [0, 1, 2, 3, 4, 5, 6];

/** What the codes are called and mean; those that name a handle or session by number are added. */
const MEANINGS = new Map([
  ...meaningsOf(ERRORS, POSITIONED, WARNINGS),
  [0x01e, { name: "BAD_TAG", meaning: "the tag is not one of a TPM 2.0 command" }],
  ...REFERENCED.map((n) =>
    [0x910 + n, {
      name: `REFERENCE_H${n}`,
      meaning: `handle ${n + 1} is of an object or session that is not loaded`,
    }] as const
  ),
  ...REFERENCED.map((n) =>
    [0x918 + n, {
      name: `REFERENCE_S${n}`,
      meaning: `session ${n + 1} is not loaded`,
    }] as const
  ),
]);

/** Response codes by name, without a position. */
export const TPM_RC = {
  SUCCESS: 0x000,
  BAD_TAG: 0x01e,
  ...codesOf(ERRORS),
  ...codesOf(POSITIONED),
  ...codesOf(WARNINGS),
} as const;

export const TPM_RC_CODE = constants("TPM_RC", u32, TPM_RC);

/** What a code of format 1 is about: the first one is 1. */
export interface Position {
  readonly of: "handle" | "session" | "parameter";
  readonly number: number;
}

/** A response code taken apart. */
export interface Result {
  /** As it came. */
  readonly code: number;
  /** Without position, as in {@linkcode TPM_RC}. */
  readonly base: number;
  /** With its prefix: "TPM_RC_VALUE"; where the specification has none, the number. */
  readonly name: string;
  /** Undefined where it has none or says that it does not know. */
  readonly position: Position | undefined;
  /** One sentence without a full stop. */
  readonly meaning: string;
  /** Nothing is wrong with the command: it can be sent again. */
  readonly warning: boolean;
}

const FORMAT_1 = 0x080;
const TPM12_CODES_MAX = 0x7f;
const VENDOR = 0x400;
const WARNING = 0x800;

/** What a response code says. */
export function resultOf(code: number): Result {
  const positioned = code <= 0xfff && (code & FORMAT_1) !== 0;
  const base = positioned ? FORMAT_1 | code & 0x3f : code;
  const known = MEANINGS.get(base);
  return {
    code,
    base,
    name: known === undefined ? `0x${code.toString(16)}` : `TPM_RC_${known.name}`,
    position: positioned ? positionOf(code) : undefined,
    meaning: known?.meaning ?? unknownMeaning(code),
    warning: !positioned && code <= 0xfff && (code & WARNING) !== 0,
  };
}

function positionOf(code: number): Position | undefined {
  const number = code >>> 8 & 0xf;
  if ((code & 0x40) !== 0) return number === 0 ? undefined : { of: "parameter", number };
  const handleOrSession = number & 7;
  if (handleOrSession === 0) return undefined;
  return { of: (number & 8) === 0 ? "handle" : "session", number: handleOrSession };
}

function unknownMeaning(code: number): string {
  if (code > 0xfff) return "a code of another layer than the TPM";
  if ((code & VENDOR) !== 0) return "a code of the TPM's vendor";
  return code <= TPM12_CODES_MAX ? "a code of a TPM 1.2" : "a code that is not known";
}
