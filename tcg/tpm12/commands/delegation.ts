// Delegations (Part 3, 19).

import { command } from "../command.ts";
import { TPM_FAMILY_OPERATION } from "../constants.ts";
import { TPM_DELEGATE_INDEX, TPM_FAMILY_ID, TPM_KEY_HANDLE } from "../handle_types.ts";
import {
  DELEGATION,
  TPM_DELEGATE_OWNER_BLOB,
  TPM_DELEGATE_PUBLIC,
} from "../structures/delegation.ts";
import { buffer, holding, TPM_BOOL, TPM_ENCAUTH } from "../types.ts";

export const TPM_Delegate_Manage = command("Delegate_Manage", {
  section: "19.1",
  parameters: { familyID: TPM_FAMILY_ID, opCode: TPM_FAMILY_OPERATION, opData: buffer() },
  response: { retData: buffer() },
  authorizations: { ownerAuth: "owner" },
  optional: 1,
});

export const TPM_Delegate_CreateKeyDelegation = command("Delegate_CreateKeyDelegation", {
  section: "19.2",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { publicInfo: TPM_DELEGATE_PUBLIC, delAuth: TPM_ENCAUTH },
  response: { blob: DELEGATION },
  authorizations: { privAuth: "keyHandle" },
});

export const TPM_Delegate_CreateOwnerDelegation = command("Delegate_CreateOwnerDelegation", {
  section: "19.3",
  parameters: { increment: TPM_BOOL, publicInfo: TPM_DELEGATE_PUBLIC, delAuth: TPM_ENCAUTH },
  response: { blob: DELEGATION },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_Delegate_LoadOwnerDelegation = command("Delegate_LoadOwnerDelegation", {
  section: "19.4",
  parameters: { index: TPM_DELEGATE_INDEX, blob: holding(TPM_DELEGATE_OWNER_BLOB) },
  authorizations: { ownerAuth: "owner" },
  optional: 1,
});

export const TPM_Delegate_ReadTable = command("Delegate_ReadTable", {
  section: "19.5",
  response: {
    familyTable: buffer("TPM_FAMILY_TABLE_ENTRY[]"),
    delegateTable: buffer("TPM_DELEGATE_PUBLIC[]"),
  },
});

export const TPM_Delegate_UpdateVerification = command("Delegate_UpdateVerification", {
  section: "19.6",
  parameters: { inputData: DELEGATION },
  response: { outputData: DELEGATION },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_Delegate_VerifyDelegation = command("Delegate_VerifyDelegation", {
  section: "19.7",
  parameters: { delegation: DELEGATION },
});
