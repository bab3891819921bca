// Enhanced authorisation, policies (Part 3, 23).

import { i32, u16, u32 } from "../../kernel/codec.ts";
import { TPMA_LOCALITY } from "../attributes.ts";
import { command, user } from "../command.ts";
import { TPM_CC_CODE } from "../command_codes.ts";
import { TPM_CAP_ID, TPM_EO } from "../constants.ts";
import {
  TPMI_DH_ENTITY,
  TPMI_DH_OBJECT,
  TPMI_RH_NV_AUTH,
  TPMI_RH_NV_INDEX,
  TPMI_SH_POLICY,
} from "../handle_types.ts";
import { TPMT_SIGNATURE } from "../structures/asymmetric.ts";
import {
  TPM2B_DIGEST,
  TPM2B_NAME,
  TPM2B_NONCE,
  TPM2B_OPERAND,
  TPM2B_TIMEOUT,
} from "../structures/digests.ts";
import {
  TPML_DIGEST,
  TPML_PCR_SELECTION,
  TPMT_TK_AUTH,
  TPMT_TK_VERIFIED,
} from "../structures/lists.ts";
import { TPMI_YES_NO } from "../types.ts";

export const TPM2_PolicySigned = command("PolicySigned", {
  section: "23.3",
  handles: { authObject: TPMI_DH_OBJECT, policySession: TPMI_SH_POLICY },
  parameters: {
    nonceTPM: TPM2B_NONCE,
    cpHashA: TPM2B_DIGEST,
    policyRef: TPM2B_NONCE,
    expiration: i32,
    auth: TPMT_SIGNATURE,
  },
  response: { timeout: TPM2B_TIMEOUT, policyTicket: TPMT_TK_AUTH },
});

export const TPM2_PolicySecret = command("PolicySecret", {
  section: "23.4",
  handles: { authHandle: user(TPMI_DH_ENTITY), policySession: TPMI_SH_POLICY },
  parameters: {
    nonceTPM: TPM2B_NONCE,
    cpHashA: TPM2B_DIGEST,
    policyRef: TPM2B_NONCE,
    expiration: i32,
  },
  response: { timeout: TPM2B_TIMEOUT, policyTicket: TPMT_TK_AUTH },
});

export const TPM2_PolicyTicket = command("PolicyTicket", {
  section: "23.5",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: {
    timeout: TPM2B_TIMEOUT,
    cpHashA: TPM2B_DIGEST,
    policyRef: TPM2B_NONCE,
    authName: TPM2B_NAME,
    ticket: TPMT_TK_AUTH,
  },
});

export const TPM2_PolicyOR = command("PolicyOR", {
  section: "23.6",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: { pHashList: TPML_DIGEST },
});

export const TPM2_PolicyPCR = command("PolicyPCR", {
  section: "23.7",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: { pcrDigest: TPM2B_DIGEST, pcrs: TPML_PCR_SELECTION },
});

export const TPM2_PolicyLocality = command("PolicyLocality", {
  section: "23.8",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: { locality: TPMA_LOCALITY },
});

export const TPM2_PolicyNV = command("PolicyNV", {
  section: "23.9",
  handles: {
    authHandle: user(TPMI_RH_NV_AUTH),
    nvIndex: TPMI_RH_NV_INDEX,
    policySession: TPMI_SH_POLICY,
  },
  parameters: { operandB: TPM2B_OPERAND, offset: u16, operation: TPM_EO },
});

export const TPM2_PolicyCounterTimer = command("PolicyCounterTimer", {
  section: "23.10",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: { operandB: TPM2B_OPERAND, offset: u16, operation: TPM_EO },
});

export const TPM2_PolicyCommandCode = command("PolicyCommandCode", {
  section: "23.11",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: { code: TPM_CC_CODE },
});

export const TPM2_PolicyPhysicalPresence = command("PolicyPhysicalPresence", {
  section: "23.12",
  handles: { policySession: TPMI_SH_POLICY },
});

export const TPM2_PolicyCpHash = command("PolicyCpHash", {
  section: "23.13",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: { cpHashA: TPM2B_DIGEST },
});

export const TPM2_PolicyNameHash = command("PolicyNameHash", {
  section: "23.14",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: { nameHash: TPM2B_DIGEST },
});

export const TPM2_PolicyDuplicationSelect = command("PolicyDuplicationSelect", {
  section: "23.15",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: { objectName: TPM2B_NAME, newParentName: TPM2B_NAME, includeObject: TPMI_YES_NO },
});

export const TPM2_PolicyAuthorize = command("PolicyAuthorize", {
  section: "23.16",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: {
    approvedPolicy: TPM2B_DIGEST,
    policyRef: TPM2B_NONCE,
    keySign: TPM2B_NAME,
    checkTicket: TPMT_TK_VERIFIED,
  },
});

export const TPM2_PolicyAuthValue = command("PolicyAuthValue", {
  section: "23.17",
  handles: { policySession: TPMI_SH_POLICY },
});

export const TPM2_PolicyPassword = command("PolicyPassword", {
  section: "23.18",
  handles: { policySession: TPMI_SH_POLICY },
});

export const TPM2_PolicyGetDigest = command("PolicyGetDigest", {
  section: "23.19",
  handles: { policySession: TPMI_SH_POLICY },
  response: { policyDigest: TPM2B_DIGEST },
});

export const TPM2_PolicyNvWritten = command("PolicyNvWritten", {
  section: "23.20",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: { writtenSet: TPMI_YES_NO },
});

export const TPM2_PolicyTemplate = command("PolicyTemplate", {
  section: "23.21",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: { templateHash: TPM2B_DIGEST },
});

export const TPM2_PolicyAuthorizeNV = command("PolicyAuthorizeNV", {
  section: "23.22",
  handles: {
    authHandle: user(TPMI_RH_NV_AUTH),
    nvIndex: TPMI_RH_NV_INDEX,
    policySession: TPMI_SH_POLICY,
  },
});

export const TPM2_PolicyCapability = command("PolicyCapability", {
  section: "23.23",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: {
    operandB: TPM2B_OPERAND,
    offset: u16,
    operation: TPM_EO,
    capability: TPM_CAP_ID,
    property: u32,
  },
});

export const TPM2_PolicyParameters = command("PolicyParameters", {
  section: "23.24",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: { pHash: TPM2B_DIGEST },
});

export const TPM2_PolicyTransportSPDM = command("PolicyTransportSPDM", {
  section: "23.25",
  handles: { policySession: TPMI_SH_POLICY },
  parameters: { reqKeyName: TPM2B_NAME, tpmKeyName: TPM2B_NAME },
});
