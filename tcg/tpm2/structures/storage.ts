// NV indices, saved contexts and creation data (Part 2, 13 to 15).

import { u16, u32, u64, type Value } from "../../kernel/codec.ts";
import { by, struct, union } from "../../kernel/struct.ts";
import { TPM_ALG_ID, TPMI_ALG_HASH } from "../algorithms.ts";
import { TPMA_LOCALITY, TPMA_NV } from "../attributes.ts";
import { TPM_HT, TPM_HT_TYPE } from "../constants.ts";
import { TPMI_DH_SAVED, TPMI_RH_HIERARCHY, TPMI_RH_NV_INDEX } from "../handle_types.ts";
import { tpm2b, tpm2bOf } from "../types.ts";
import { TPM2B_DATA, TPM2B_DIGEST, TPM2B_NAME } from "./digests.ts";
import { TPML_PCR_SELECTION } from "./lists.ts";

/** What an index of the types PIN_FAIL and PIN_PASS holds. */
export const TPMS_NV_PIN_COUNTER_PARAMETERS = struct("TPMS_NV_PIN_COUNTER_PARAMETERS", {
  pinCount: u32,
  pinLimit: u32,
});

export const TPMS_NV_PUBLIC = struct("TPMS_NV_PUBLIC", {
  nvIndex: TPMI_RH_NV_INDEX,
  nameAlg: TPMI_ALG_HASH,
  attributes: TPMA_NV,
  authPolicy: TPM2B_DIGEST,
  dataSize: u16,
});
export type TPMS_NV_PUBLIC = Value<typeof TPMS_NV_PUBLIC>;
export const TPM2B_NV_PUBLIC = tpm2bOf("TPM2B_NV_PUBLIC", TPMS_NV_PUBLIC);

/** An index outside of the TPM; its lower attributes are those of TPMA_NV. */
export const TPMS_NV_PUBLIC_EXP_ATTR = struct("TPMS_NV_PUBLIC_EXP_ATTR", {
  nvIndex: TPMI_RH_NV_INDEX,
  nameAlg: TPMI_ALG_HASH,
  attributes: u64,
  authPolicy: TPM2B_DIGEST,
  dataSize: u16,
});

export const TPMU_NV_PUBLIC_2 = union("TPMU_NV_PUBLIC_2", {
  nvIndex: [TPM_HT.NV_INDEX, TPMS_NV_PUBLIC],
  externalNV: [TPM_HT.EXTERNAL_NV, TPMS_NV_PUBLIC_EXP_ATTR],
  permanentNV: [TPM_HT.PERMANENT_NV, TPMS_NV_PUBLIC],
});
export const TPMT_NV_PUBLIC_2 = struct("TPMT_NV_PUBLIC_2", {
  handleType: TPM_HT_TYPE,
  nvPublic2: by("handleType", TPMU_NV_PUBLIC_2),
});
export const TPM2B_NV_PUBLIC_2 = tpm2bOf("TPM2B_NV_PUBLIC_2", TPMT_NV_PUBLIC_2);

export const TPMS_CONTEXT = struct("TPMS_CONTEXT", {
  sequence: u64,
  savedHandle: TPMI_DH_SAVED,
  hierarchy: TPMI_RH_HIERARCHY,
  contextBlob: tpm2b("TPM2B_CONTEXT_DATA"),
});
export type TPMS_CONTEXT = Value<typeof TPMS_CONTEXT>;

export const TPMS_CREATION_DATA = struct("TPMS_CREATION_DATA", {
  pcrSelect: TPML_PCR_SELECTION,
  pcrDigest: TPM2B_DIGEST,
  locality: TPMA_LOCALITY,
  parentNameAlg: TPM_ALG_ID,
  parentName: TPM2B_NAME,
  parentQualifiedName: TPM2B_NAME,
  outsideInfo: TPM2B_DATA,
});
export const TPM2B_CREATION_DATA = tpm2bOf("TPM2B_CREATION_DATA", TPMS_CREATION_DATA);
