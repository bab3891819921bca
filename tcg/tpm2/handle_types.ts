// Handles by what a command may be given (Part 2, 7.5 and 9): on the wire each is a number of four
// bytes, and which values it may have is the TPM's affair. What a value means stands in handles.ts.

import { handle } from "../kernel/numbers.ts";

export const TPM_HANDLE = handle("TPM_HANDLE");

export const TPMI_DH_OBJECT = handle("TPMI_DH_OBJECT");
export const TPMI_DH_PARENT = handle("TPMI_DH_PARENT");
export const TPMI_DH_PERSISTENT = handle("TPMI_DH_PERSISTENT");
export const TPMI_DH_ENTITY = handle("TPMI_DH_ENTITY");
export const TPMI_DH_PCR = handle("TPMI_DH_PCR");
export const TPMI_DH_CONTEXT = handle("TPMI_DH_CONTEXT");
export const TPMI_DH_SAVED = handle("TPMI_DH_SAVED");

export const TPMI_SH_AUTH_SESSION = handle("TPMI_SH_AUTH_SESSION");
export const TPMI_SH_HMAC = handle("TPMI_SH_HMAC");
export const TPMI_SH_POLICY = handle("TPMI_SH_POLICY");

export const TPMI_RH_HIERARCHY = handle("TPMI_RH_HIERARCHY");
export const TPMI_RH_ENABLES = handle("TPMI_RH_ENABLES");
export const TPMI_RH_HIERARCHY_AUTH = handle("TPMI_RH_HIERARCHY_AUTH");
export const TPMI_RH_HIERARCHY_POLICY = handle("TPMI_RH_HIERARCHY_POLICY");
export const TPMI_RH_BASE_HIERARCHY = handle("TPMI_RH_BASE_HIERARCHY");
export const TPMI_RH_PLATFORM = handle("TPMI_RH_PLATFORM");
export const TPMI_RH_OWNER = handle("TPMI_RH_OWNER");
export const TPMI_RH_ENDORSEMENT = handle("TPMI_RH_ENDORSEMENT");
export const TPMI_RH_PROVISION = handle("TPMI_RH_PROVISION");
export const TPMI_RH_CLEAR = handle("TPMI_RH_CLEAR");
export const TPMI_RH_NV_AUTH = handle("TPMI_RH_NV_AUTH");
export const TPMI_RH_LOCKOUT = handle("TPMI_RH_LOCKOUT");
export const TPMI_RH_NV_INDEX = handle("TPMI_RH_NV_INDEX");
export const TPMI_RH_NV_DEFINED_INDEX = handle("TPMI_RH_NV_DEFINED_INDEX");
export const TPMI_RH_ACT = handle("TPMI_RH_ACT");
