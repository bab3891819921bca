// Keys that the owner keeps, contexts, and ending what is loaded (Part 3, 21 and 22).

import { TPM_KEY_CONTROL } from "../attributes.ts";
import { command } from "../command.ts";
import { TPM_RESOURCE_TYPE } from "../constants.ts";
import { TPM_HANDLE, TPM_KEY_HANDLE } from "../handle_types.ts";
import { TPM_PUBKEY } from "../structures/keys.ts";
import { CONTEXT_LABEL, TPM_CONTEXT_BLOB, TPM_DAA_BLOB } from "../structures/storage.ts";
import { holding, TPM_BOOL } from "../types.ts";

const CONTEXT = holding(TPM_CONTEXT_BLOB, TPM_DAA_BLOB);

export const TPM_KeyControlOwner = command("KeyControlOwner", {
  section: "21.1",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { pubKey: TPM_PUBKEY, bitName: TPM_KEY_CONTROL, bitValue: TPM_BOOL },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_SaveContext = command("SaveContext", {
  section: "21.2",
  handles: { handle: TPM_HANDLE },
  parameters: { resourceType: TPM_RESOURCE_TYPE, label: CONTEXT_LABEL },
  response: { contextBlob: CONTEXT },
});

export const TPM_LoadContext = command("LoadContext", {
  section: "21.3",
  handles: { entityHandle: TPM_HANDLE },
  parameters: { keepHandle: TPM_BOOL, contextBlob: CONTEXT },
  responseHandles: { handle: TPM_HANDLE },
});

export const TPM_FlushSpecific = command("FlushSpecific", {
  section: "22.1",
  handles: { handle: TPM_HANDLE },
  parameters: { resourceType: TPM_RESOURCE_TYPE },
});
