// What TPM2_GetCapability tells (Part 2, 10.10).

import { restBytes } from "../../kernel/bytes.ts";
import { list } from "../../kernel/list.ts";
import { by, struct, union } from "../../kernel/struct.ts";
import { TPM_CAP, TPM_CAP_ID } from "../constants.ts";
import { tpm2b } from "../types.ts";
import {
  TPML_ACT_DATA,
  TPML_ALG_PROPERTY,
  TPML_CC,
  TPML_CCA,
  TPML_ECC_CURVE,
  TPML_HANDLE,
  TPML_PCR_SELECTION,
  TPML_SPDM_SESSION_INFO,
  TPML_TAGGED_PCR_PROPERTY,
  TPML_TAGGED_POLICY,
  TPML_TAGGED_TPM_PROPERTY,
} from "./lists.ts";
import { TPM2B_PUBLIC } from "./objects.ts";

export const TPML_PUB_KEY = list("TPML_PUB_KEY", TPM2B_PUBLIC);

/** It is always the last of its response, so the data of an unknown capability is the rest. */
export const TPMU_CAPABILITIES = union("TPMU_CAPABILITIES", {
  algorithms: [TPM_CAP.ALGS, TPML_ALG_PROPERTY],
  handles: [TPM_CAP.HANDLES, TPML_HANDLE],
  command: [TPM_CAP.COMMANDS, TPML_CCA],
  ppCommands: [TPM_CAP.PP_COMMANDS, TPML_CC],
  auditCommands: [TPM_CAP.AUDIT_COMMANDS, TPML_CC],
  assignedPCR: [TPM_CAP.PCRS, TPML_PCR_SELECTION],
  tpmProperties: [TPM_CAP.TPM_PROPERTIES, TPML_TAGGED_TPM_PROPERTY],
  pcrProperties: [TPM_CAP.PCR_PROPERTIES, TPML_TAGGED_PCR_PROPERTY],
  eccCurves: [TPM_CAP.ECC_CURVES, TPML_ECC_CURVE],
  authPolicies: [TPM_CAP.AUTH_POLICIES, TPML_TAGGED_POLICY],
  actData: [TPM_CAP.ACT, TPML_ACT_DATA],
  pubKeys: [TPM_CAP.PUB_KEYS, TPML_PUB_KEY],
  spdmSessionInfo: [TPM_CAP.SPDM_SESSION_INFO, TPML_SPDM_SESSION_INFO],
  vendor: [TPM_CAP.VENDOR_PROPERTY, restBytes("vendor's data")],
}, { otherwise: "vendor" });

export const TPMS_CAPABILITY_DATA = struct("TPMS_CAPABILITY_DATA", {
  capability: TPM_CAP_ID,
  data: by("capability", TPMU_CAPABILITIES),
});

/** What can be set, so far, is vendors' affair. */
export const TPM2B_SET_CAPABILITY_DATA = tpm2b("TPM2B_SET_CAPABILITY_DATA");
