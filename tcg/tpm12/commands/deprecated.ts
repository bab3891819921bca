// What TPM 1.1 had for keys, sessions and their contexts (Part 3, 27.1, 27.2 and 27.5).

import { command } from "../command.ts";
import { TPM_AUTHHANDLE, TPM_KEY_HANDLE } from "../handle_types.ts";
import { TPM_CONTEXT_BLOB } from "../structures/storage.ts";
import { holding } from "../types.ts";

export const TPM_EvictKey = command("EvictKey", {
  section: "27.1.1",
  handles: { evictHandle: TPM_KEY_HANDLE },
});

export const TPM_Terminate_Handle = command("Terminate_Handle", {
  section: "27.1.2",
  handles: { handle: TPM_AUTHHANDLE },
});

export const TPM_SaveKeyContext = command("SaveKeyContext", {
  section: "27.2.1",
  handles: { keyHandle: TPM_KEY_HANDLE },
  response: { keyContextBlob: holding(TPM_CONTEXT_BLOB) },
});

export const TPM_LoadKeyContext = command("LoadKeyContext", {
  section: "27.2.2",
  parameters: { keyContextBlob: holding(TPM_CONTEXT_BLOB) },
  responseHandles: { keyHandle: TPM_KEY_HANDLE },
});

export const TPM_SaveAuthContext = command("SaveAuthContext", {
  section: "27.2.3",
  handles: { authHandle: TPM_AUTHHANDLE },
  response: { authContextBlob: holding(TPM_CONTEXT_BLOB) },
});

export const TPM_LoadAuthContext = command("LoadAuthContext", {
  section: "27.2.4",
  parameters: { authContextBlob: holding(TPM_CONTEXT_BLOB) },
  responseHandles: { authHandle: TPM_AUTHHANDLE },
});

export const TPM_Reset = command("Reset", { section: "27.5" });
