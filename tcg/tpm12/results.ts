// Return codes: their names and what they mean (Part 2, 16).

import { u32 } from "../kernel/codec.ts";
import { constants } from "../kernel/numbers.ts";
import { codesOf, meaningsOf } from "../kernel/result_table.ts";

/** Errors; they end the sessions of the command. */
const ERRORS = {
  AUTHFAIL: [
    0x01,
    "the HMAC of the first authorisation is wrong: wrong auth value, or other parameters",
  ],
  BADINDEX: [0x02, "there is no such PCR, DIR or NV index"],
  BAD_PARAMETER: [0x03, "a parameter is not right"],
  AUDITFAILURE: [0x04, "the command was done, but could not be audited"],
  CLEAR_DISABLED: [0x05, "clearing is disabled, but for somebody who is there"],
  DEACTIVATED: [0x06, "the TPM is deactivated"],
  DISABLED: [0x07, "the TPM is disabled"],
  DISABLED_CMD: [0x08, "the command is disabled"],
  FAIL: [0x09, "the operation failed"],
  BAD_ORDINAL: [0x0a, "the TPM does not know the ordinal"],
  INSTALL_DISABLED: [0x0b, "taking ownership is disabled"],
  INVALID_KEYHANDLE: [0x0c, "no loaded key has the handle"],
  KEYNOTFOUND: [0x0d, "the key was not found"],
  INAPPROPRIATE_ENC: [0x0e, "the encryption scheme does not fit"],
  MIGRATEFAIL: [0x0f, "the authorisation to migrate is wrong"],
  INVALID_PCR_INFO: [0x10, "the PCR information cannot be read"],
  NOSPACE: [0x11, "there is no room: for a key, or in the NV index"],
  NOSRK: [0x12, "there is no storage root key: the TPM has no owner"],
  NOTSEALED_BLOB: [0x13, "the blob is not valid or not of this TPM"],
  OWNER_SET: [0x14, "the TPM has an owner already"],
  RESOURCES: [0x15, "the TPM has not enough resources: sessions or keys must be flushed"],
  SHORTRANDOM: [0x16, "a random string is too short"],
  SIZE: [0x17, "the TPM has no room for the operation"],
  WRONGPCRVAL: [0x18, "the PCRs do not have the values that are wanted"],
  BAD_PARAM_SIZE: [0x19, "the header's size is not that of the command"],
  SHA_THREAD: [0x1a, "no SHA-1 calculation was begun"],
  SHA_ERROR: [0x1b, "the SHA-1 calculation has met an error before"],
  FAILEDSELFTEST: [0x1c, "the self-test has failed, and the TPM does not do commands any more"],
  AUTH2FAIL: [0x1d, "the HMAC of the second authorisation is wrong"],
  BADTAG: [0x1e, "the tag does not fit the command: too many or too few authorisations"],
  IOERROR: [0x1f, "the TPM could not be talked to"],
  ENCRYPT_ERROR: [0x20, "the encryption has failed"],
  DECRYPT_ERROR: [0x21, "the decryption has failed"],
  INVALID_AUTHHANDLE: [0x22, "no session has the handle, or one of another protocol is wanted"],
  NO_ENDORSEMENT: [0x23, "the TPM has no endorsement key"],
  INVALID_KEYUSAGE: [0x24, "the key may not be used for that"],
  WRONG_ENTITYTYPE: [0x25, "the entity type is not allowed here"],
  INVALID_POSTINIT: [0x26, "the TPM wants TPM_Startup first, or has had it already"],
  INAPPROPRIATE_SIG: [0x27, "the signature scheme does not fit"],
  BAD_KEY_PROPERTY: [0x28, "the TPM does not support keys with these parameters"],
  BAD_MIGRATION: [0x29, "the key's migration properties do not fit"],
  BAD_SCHEME: [0x2a, "the signature or encryption scheme does not fit the key"],
  BAD_DATASIZE: [0x2b, "the data have a size that does not fit the key"],
  BAD_MODE: [0x2c, "a mode, as a capability or its part, is not known"],
  BAD_PRESENCE: [0x2d, "physical presence is wanted, locked, or set in a way that does not fit"],
  BAD_VERSION: [0x2e, "the TPM does not support this version of the capability"],
  NO_WRAP_TRANSPORT: [0x2f, "the command cannot be wrapped in a transport session"],
  AUDITFAIL_UNSUCCESSFUL: [0x30, "the command has failed and could not be audited"],
  AUDITFAIL_SUCCESSFUL: [0x31, "the command was done and could not be audited"],
  NOTRESETABLE: [0x32, "the PCR cannot be reset"],
  NOTLOCAL: [0x33, "the PCR cannot be reset from this locality"],
  BAD_TYPE: [0x34, "the identity blob has a wrong type"],
  INVALID_RESOURCE: [0x35, "the resource is of another type than the command says"],
  NOTFIPS: [0x36, "the command is only there in FIPS mode"],
  INVALID_FAMILY: [0x37, "there is no such family of delegations"],
  NO_NV_PERMISSION: [0x38, "NV storage may not be changed in this way"],
  REQUIRES_SIGN: [0x39, "the operation wants a signed command"],
  KEY_NOTSUPPORTED: [0x3a, "the key cannot be loaded from NV storage"],
  AUTH_CONFLICT: [0x3b, "both the owner's and the area's authorisation are wanted"],
  AREA_LOCKED: [0x3c, "the NV index is locked"],
  BAD_LOCALITY: [0x3d, "the locality is not right for the operation"],
  READ_ONLY: [0x3e, "the NV index is read-only"],
  PER_NOWRITE: [0x3f, "nothing protects the NV index from being written"],
  FAMILYCOUNT: [0x40, "the delegation's family has another count"],
  WRITE_LOCKED: [0x41, "the NV index was written before, and is locked"],
  BAD_ATTRIBUTES: [0x42, "the attributes of the NV index contradict each other"],
  INVALID_STRUCTURE: [0x43, "a structure's tag or version is not right"],
  KEY_OWNER_CONTROL: [0x44, "only the owner can evict the key"],
  BAD_COUNTER: [0x45, "there is no such counter, or it cannot be used now"],
  NOT_FULLWRITE: [0x46, "the NV index must be written as a whole"],
  CONTEXT_GAP: [0x47, "the oldest saved session must be loaded before others can be saved"],
  MAXNVWRITES: [0x48, "NV storage was written too often without an owner"],
  NOOPERATOR: [0x49, "the operator has no auth value"],
  RESOURCEMISSING: [0x4a, "what the saved context wants is not loaded"],
  DELEGATE_LOCK: [0x4b, "the delegations are locked"],
  DELEGATE_FAMILY: [0x4c, "the delegation is of another family"],
  DELEGATE_ADMIN: [0x4d, "the table of delegations may not be managed"],
  TRANSPORT_NOTEXCLUSIVE: [0x4e, "a command came outside of an exclusive transport session"],
  OWNER_CONTROL: [0x4f, "the key is kept by the owner, and its context cannot be saved"],
  DAA_RESOURCES: [0x50, "there are no resources for DAA"],
  DAA_INPUT_DATA0: [0x51, "inputData0 is not consistent"],
  DAA_INPUT_DATA1: [0x52, "inputData1 is not consistent"],
  DAA_ISSUER_SETTINGS: [0x53, "the issuer's settings are not consistent"],
  DAA_TPM_SETTINGS: [0x54, "the TPM's settings are not consistent"],
  DAA_STAGE: [0x55, "the stage of the DAA protocol is not the expected one"],
  DAA_ISSUER_VALIDITY: [0x56, "the issuer's values are not valid"],
  DAA_WRONG_W: [0x57, "the check of w has failed"],
  BAD_HANDLE: [0x58, "the handle is not right"],
  BAD_DELEGATE: [0x59, "the delegation is not right"],
  BADCONTEXT: [0x5a, "the saved context is not one that can be loaded"],
  TOOMANYCONTEXTS: [0x5b, "the counter of saved contexts has run out"],
  MA_TICKET_SIGNATURE: [0x5c, "the migration authority's ticket is not valid"],
  MA_DESTINATION: [0x5d, "the destination of the migration is not authenticated"],
  MA_SOURCE: [0x5e, "the source of the migration is not right"],
  MA_AUTHORITY: [0x5f, "the migration authority is not the right one"],
  PERMANENTEK: [0x61, "the endorsement key cannot be revoked"],
  BAD_SIGNATURE: [0x62, "the signature of the ticket is not valid"],
  NOCONTEXTSPACE: [0x63, "there is no room for another saved context"],
} as const;

/** Warnings; the command can be repeated when the cause is gone, in the same sessions. */
const WARNINGS = {
  RETRY: [0x800, "the TPM could not start the command; it can be sent again"],
  NEEDS_SELFTEST: [0x801, "TPM_ContinueSelfTest must be run first"],
  DOING_SELFTEST: [0x802, "the TPM is testing itself; the command can be sent again"],
  DEFEND_LOCK_RUNNING: [0x803, "the TPM is locked after wrong guesses, for some time"],
} as const;

const MEANINGS = meaningsOf(ERRORS, WARNINGS);

/** Return codes by name; the specification has them without a prefix: TPM_AUTHFAIL. */
export const TPM_RESULT = { SUCCESS: 0, ...codesOf(ERRORS), ...codesOf(WARNINGS) } as const;

export const TPM_RESULT_CODE = constants("TPM_RESULT", u32, TPM_RESULT);

/** A return code and what it says. */
export interface Result {
  readonly code: number;
  /** With its prefix: "TPM_AUTHFAIL"; where the specification has none, the number. */
  readonly name: string;
  /** One sentence without a full stop. */
  readonly meaning: string;
  /** Nothing is wrong with the command: it can be sent again. */
  readonly warning: boolean;
}

const VENDOR = 0x400;
const NON_FATAL = 0x800;
const TPM_CODES_MAX = 0xfff;

/** What a return code says. */
export function resultOf(code: number): Result {
  const known = MEANINGS.get(code);
  return {
    code,
    name: known === undefined ? `0x${code.toString(16)}` : `TPM_${known.name}`,
    meaning: known?.meaning ?? unknownMeaning(code),
    warning: code <= TPM_CODES_MAX && (code & NON_FATAL) !== 0,
  };
}

function unknownMeaning(code: number): string {
  if (code > TPM_CODES_MAX) return "a code of another layer than the TPM";
  return (code & VENDOR) !== 0 ? "a code of the TPM's vendor" : "a code that is not known";
}
