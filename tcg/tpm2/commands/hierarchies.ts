// Hierarchies (Part 3, 24).

import { TPMI_ALG_HASH } from "../algorithms.ts";
import { command, user } from "../command.ts";
import {
  TPM_HANDLE,
  TPMI_RH_BASE_HIERARCHY,
  TPMI_RH_CLEAR,
  TPMI_RH_ENABLES,
  TPMI_RH_HIERARCHY,
  TPMI_RH_HIERARCHY_AUTH,
  TPMI_RH_HIERARCHY_POLICY,
  TPMI_RH_PLATFORM,
} from "../handle_types.ts";
import { TPM2B_AUTH, TPM2B_DATA, TPM2B_DIGEST, TPM2B_NAME } from "../structures/digests.ts";
import { TPML_PCR_SELECTION, TPMT_TK_CREATION } from "../structures/lists.ts";
import { TPM2B_PUBLIC } from "../structures/objects.ts";
import { TPM2B_CREATION_DATA } from "../structures/storage.ts";
import { TPM2B_SENSITIVE_CREATE } from "../structures/symmetric.ts";
import { TPMI_YES_NO } from "../types.ts";

export const TPM2_CreatePrimary = command("CreatePrimary", {
  section: "24.1",
  handles: { primaryHandle: user(TPMI_RH_HIERARCHY) },
  parameters: {
    inSensitive: TPM2B_SENSITIVE_CREATE,
    inPublic: TPM2B_PUBLIC,
    outsideInfo: TPM2B_DATA,
    creationPCR: TPML_PCR_SELECTION,
  },
  responseHandles: { objectHandle: TPM_HANDLE },
  response: {
    outPublic: TPM2B_PUBLIC,
    creationData: TPM2B_CREATION_DATA,
    creationHash: TPM2B_DIGEST,
    creationTicket: TPMT_TK_CREATION,
    name: TPM2B_NAME,
  },
});

export const TPM2_HierarchyControl = command("HierarchyControl", {
  section: "24.2",
  handles: { authHandle: user(TPMI_RH_BASE_HIERARCHY) },
  parameters: { enable: TPMI_RH_ENABLES, state: TPMI_YES_NO },
  nv: true,
  extensive: true,
});

export const TPM2_SetPrimaryPolicy = command("SetPrimaryPolicy", {
  section: "24.3",
  handles: { authHandle: user(TPMI_RH_HIERARCHY_POLICY) },
  parameters: { authPolicy: TPM2B_DIGEST, hashAlg: TPMI_ALG_HASH },
  nv: true,
});

export const TPM2_ChangePPS = command("ChangePPS", {
  section: "24.4",
  handles: { authHandle: user(TPMI_RH_PLATFORM) },
  nv: true,
  extensive: true,
});

export const TPM2_ChangeEPS = command("ChangeEPS", {
  section: "24.5",
  handles: { authHandle: user(TPMI_RH_PLATFORM) },
  nv: true,
  extensive: true,
});

export const TPM2_Clear = command("Clear", {
  section: "24.6",
  handles: { authHandle: user(TPMI_RH_CLEAR) },
  nv: true,
  extensive: true,
});

export const TPM2_ClearControl = command("ClearControl", {
  section: "24.7",
  handles: { auth: user(TPMI_RH_CLEAR) },
  parameters: { disable: TPMI_YES_NO },
  nv: true,
});

export const TPM2_HierarchyChangeAuth = command("HierarchyChangeAuth", {
  section: "24.8",
  handles: { authHandle: user(TPMI_RH_HIERARCHY_AUTH) },
  parameters: { newAuth: TPM2B_AUTH },
  nv: true,
});

export const TPM2_ReadOnlyControl = command("ReadOnlyControl", {
  section: "24.9",
  handles: { authHandle: user(TPMI_RH_PLATFORM) },
  parameters: { state: TPMI_YES_NO },
  nv: true,
});
