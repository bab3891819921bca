// Attributes of TPM 1.2, bit by bit (Part 2). A value keeps its reserved bits.

import { u16, u32, u8 } from "../kernel/codec.ts";
import { flags } from "../kernel/numbers.ts";

/** What TSC_PhysicalPresence sets (4.9). */
export const TPM_PHYSICAL_PRESENCE = flags("TPM_PHYSICAL_PRESENCE", u16, {
  LOCK: 2,
  PRESENT: 3,
  NOTPRESENT: 4,
  CMD_ENABLE: 5,
  HW_ENABLE: 6,
  LIFETIME_LOCK: 7,
  CMD_DISABLE: 8,
  HW_DISABLE: 9,
});

/** What a startup resets (4.6). */
export const TPM_STARTUP_EFFECTS = flags("TPM_STARTUP_EFFECTS", u32, {
  ST_STATE_RT_CONTEXT: 0,
  ST_STATE_RT_TRANS: 1,
  ST_STATE_RT_HASH: 2,
  ST_STATE_RT_AUTH: 3,
  ST_ANY_RT_KEY: 4,
  STARTUP_AUDITDIGEST: 5,
  ST_CLEAR_AUDITDIGEST: 6,
  STARTUP_NO_AUDITDIGEST: 7,
  ST_STATE_RT_DAA: 8,
});

/** Of a key (5.10). */
export const TPM_KEY_FLAGS = flags("TPM_KEY_FLAGS", u32, {
  redirection: 0,
  migratable: 1,
  isVolatile: 2,
  pcrIgnoredOnRead: 3,
  migrateAuthority: 4,
});

/** Which keys of a migration authority a delegated command may handle (5.17). */
export const TPM_CMK_DELEGATE = flags("TPM_CMK_DELEGATE", u32, {
  MIGRATE: 27,
  LEGACY: 28,
  BIND: 29,
  STORAGE: 30,
  SIGNING: 31,
});

/** Localities (8.6). */
export const TPM_LOCALITY_SELECTION = flags("TPM_LOCALITY_SELECTION", u8, {
  TPM_LOC_ZERO: 0,
  TPM_LOC_ONE: 1,
  TPM_LOC_TWO: 2,
  TPM_LOC_THREE: 3,
  TPM_LOC_FOUR: 4,
});

/** How a loaded key is kept (10.9). */
export const TPM_KEY_CONTROL = flags("TPM_KEY_CONTROL", u32, { OWNER_EVICT: 0 });

/** Of a transport session (13.1.1). */
export const TPM_TRANSPORT_ATTRIBUTES = flags("TPM_TRANSPORT_ATTRIBUTES", u32, {
  ENCRYPT: 0,
  LOG: 1,
  EXCLUSIVE: 2,
});

/** Who may read and write an NV index, and when (19.2). */
export const TPM_NV_PER = flags("TPM_NV_PER_ATTRIBUTES", u32, {
  PPWRITE: 0,
  OWNERWRITE: 1,
  AUTHWRITE: 2,
  WRITEALL: 12,
  WRITEDEFINE: 13,
  WRITE_STCLEAR: 14,
  GLOBALLOCK: 15,
  PPREAD: 16,
  OWNERREAD: 17,
  AUTHREAD: 18,
  READ_STCLEAR: 31,
});

/** What the owner can delegate (20.2.1): the commands by name. */
export const TPM_DELEGATE_OWNER = flags("TPM_DELEGATE_OWNER", u32, {
  DAA_Sign: 0,
  Delegate_CreateOwnerDelegation: 1,
  Delegate_Manage: 2,
  ReleaseCounterOwner: 3,
  CreateCounter: 4,
  Delegate_UpdateVerification: 5,
  FieldUpgrade: 6,
  SetRedirection: 7,
  DisablePubekRead: 8,
  OwnerReadPubek: 9,
  ActivateIdentity: 10,
  MakeIdentity: 11,
  SetCapability: 12,
  OwnerSetDisable: 13,
  NV_DefineSpace: 14,
  DisableOwnerClear: 15,
  OwnerClear: 16,
  ResetLockValue: 17,
  OwnerReadInternalPub: 18,
  KillMaintenanceFeature: 19,
  LoadMaintenanceArchive: 20,
  CreateMaintenanceArchive: 21,
  AuthorizeMigrationKey: 22,
  DAA_Join: 23,
  Delegate_LoadOwnerDelegation: 24,
  NV_ReadValue: 25,
  CMK_CreateTicket: 26,
  NV_WriteValue: 27,
  CMK_ApproveMA: 28,
  DirWriteAuth: 29,
  SetOrdinalAuditStatus: 30,
  KeyControlOwner: 31,
});

/** What a key's user can delegate (20.2.3): the commands by name. */
export const TPM_DELEGATE_KEY = flags("TPM_DELEGATE_KEY", u32, {
  LoadKey: 0,
  Seal: 1,
  Unseal: 2,
  Quote: 3,
  UnBind: 4,
  GetPubKey: 5,
  ChangeAuth: 6,
  Delegate_CreateKeyDelegation: 7,
  ConvertMigrationBlob: 8,
  CreateMigrationBlob: 9,
  CMK_CreateBlob: 10,
  CreateWrapKey: 11,
  CertifyKey: 12,
  CertifyKey2: 13,
  Sign: 14,
  GetAuditDigestSigned: 15,
  ActivateIdentity: 16,
  MakeIdentity: 17,
  Sealx: 18,
  Quote2: 19,
  ReleaseTransportSigned: 20,
  EstablishTransport: 21,
  LoadKey2: 22,
  MigrateKey: 23,
  CMK_CreateKey: 24,
  ChangeAuthAsymFinish: 25,
  ChangeAuthAsymStart: 26,
  TickStampBlob: 27,
  CMK_ConvertMigration: 28,
});

/** Of a family of delegations (20.3). */
export const TPM_FAMILY_FLAGS = flags("TPM_FAMILY_FLAGS", u32, {
  FAMFLAG_ENABLED: 0,
  DELEGATE_ADMIN_LOCK: 1,
});

/** What happens after too many wrong guesses (21.10). */
export const TPM_DA_ACTIONS = flags("TPM_DA_ACTIONS", u32, {
  TIMEOUT: 0,
  DISABLE: 1,
  DEACTIVATE: 2,
  FAILURE_MODE: 3,
});
