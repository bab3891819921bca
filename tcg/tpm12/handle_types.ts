// Handles and indices by what a command may be given (Part 2, 4.4 and 2.2.2). What a value means
// stands in handles.ts.

import { handle } from "../kernel/numbers.ts";

export const TPM_HANDLE = handle("TPM_HANDLE");
export const TPM_KEY_HANDLE = handle("TPM_KEY_HANDLE");
export const TPM_AUTHHANDLE = handle("TPM_AUTHHANDLE");
export const TPM_TRANSHANDLE = handle("TPM_TRANSHANDLE");
export const TPM_PCRINDEX = handle("TPM_PCRINDEX");
export const TPM_DIRINDEX = handle("TPM_DIRINDEX");
export const TPM_NV_INDEX = handle("TPM_NV_INDEX");
export const TPM_COUNT_ID = handle("TPM_COUNT_ID");
export const TPM_DELEGATE_INDEX = handle("TPM_DELEGATE_INDEX");
export const TPM_FAMILY_ID = handle("TPM_FAMILY_ID");
