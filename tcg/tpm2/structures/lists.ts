// PCR selections, tickets, properties and lists (Part 2, 10.6 to 10.9).

import { sizedBytes } from "../../kernel/bytes.ts";
import { u32, type Value } from "../../kernel/codec.ts";
import { list } from "../../kernel/list.ts";
import { struct } from "../../kernel/struct.ts";
import { TPM_ALG_ID, TPM_ECC_CURVE, TPMI_ALG_HASH } from "../algorithms.ts";
import { TPMA_ACT, TPMA_ALGORITHM, TPMA_CC } from "../attributes.ts";
import { TPM_CC_CODE } from "../command_codes.ts";
import { TPM_ST_TAG } from "../constants.ts";
import { TPM_HANDLE, TPMI_RH_HIERARCHY } from "../handle_types.ts";
import { TPM_PT_ID, TPM_PT_PCR } from "../properties.ts";
import { TPM2B_DIGEST, TPM2B_NAME, TPMT_HA } from "./digests.ts";

/** sizeofSelect and pcrSelect: bit n of byte n / 8 stands for PCR n. */
const pcrSelect = sizedBytes("TPMS_PCR_SELECT", 1, { role: "pcrs" });

export const TPMS_PCR_SELECTION = struct("TPMS_PCR_SELECTION", { hash: TPMI_ALG_HASH, pcrSelect });
export type TPMS_PCR_SELECTION = Value<typeof TPMS_PCR_SELECTION>;

/** The bytes that select these PCRs, at least as many as PC clients' TPMs want. */
export function selectPcrs(pcrs: Iterable<number>): Uint8Array {
  const SELECT_MIN = 3;
  const numbers = [...pcrs];
  const bits = new Uint8Array(Math.max(SELECT_MIN, ...numbers.map((pcr) => (pcr >> 3) + 1)));
  for (const pcr of numbers) bits[pcr >> 3]! |= 1 << (pcr & 7);
  return bits;
}

/** The numbers of the PCRs that are selected. */
export function selectedPcrs(bits: Uint8Array): number[] {
  return Array.from({ length: bits.length * 8 }, (_, pcr) => pcr)
    .filter((pcr) => bits[pcr >> 3]! >> (pcr & 7) & 1);
}

/** All tickets have the same fields (10.7). */
function ticket(type: string) {
  return struct(type, { tag: TPM_ST_TAG, hierarchy: TPMI_RH_HIERARCHY, digest: TPM2B_DIGEST });
}
export const TPMT_TK_CREATION = ticket("TPMT_TK_CREATION");
export const TPMT_TK_VERIFIED = ticket("TPMT_TK_VERIFIED");
export const TPMT_TK_AUTH = ticket("TPMT_TK_AUTH");
export const TPMT_TK_HASHCHECK = ticket("TPMT_TK_HASHCHECK");

export const TPMS_ALG_PROPERTY = struct("TPMS_ALG_PROPERTY", {
  alg: TPM_ALG_ID,
  algProperties: TPMA_ALGORITHM,
});
export const TPMS_TAGGED_PROPERTY = struct("TPMS_TAGGED_PROPERTY", {
  property: TPM_PT_ID,
  value: u32,
});
export const TPMS_TAGGED_PCR_SELECT = struct("TPMS_TAGGED_PCR_SELECT", {
  tag: TPM_PT_PCR,
  pcrSelect,
});
export const TPMS_TAGGED_POLICY = struct("TPMS_TAGGED_POLICY", {
  handle: TPM_HANDLE,
  policyHash: TPMT_HA,
});
export const TPMS_ACT_DATA = struct("TPMS_ACT_DATA", {
  handle: TPM_HANDLE,
  timeout: u32,
  attributes: TPMA_ACT,
});
export const TPMS_SPDM_SESSION_INFO = struct("TPMS_SPDM_SESSION_INFO", {
  reqKeyName: TPM2B_NAME,
  tpmKeyName: TPM2B_NAME,
});

export const TPML_CC = list("TPML_CC", TPM_CC_CODE);
export const TPML_CCA = list("TPML_CCA", TPMA_CC);
export const TPML_ALG = list("TPML_ALG", TPM_ALG_ID);
export const TPML_HANDLE = list("TPML_HANDLE", TPM_HANDLE);
export const TPML_DIGEST = list("TPML_DIGEST", TPM2B_DIGEST);
export const TPML_DIGEST_VALUES = list("TPML_DIGEST_VALUES", TPMT_HA);
export const TPML_PCR_SELECTION = list("TPML_PCR_SELECTION", TPMS_PCR_SELECTION);
export const TPML_ALG_PROPERTY = list("TPML_ALG_PROPERTY", TPMS_ALG_PROPERTY);
export const TPML_TAGGED_TPM_PROPERTY = list("TPML_TAGGED_TPM_PROPERTY", TPMS_TAGGED_PROPERTY);
export const TPML_TAGGED_PCR_PROPERTY = list("TPML_TAGGED_PCR_PROPERTY", TPMS_TAGGED_PCR_SELECT);
export const TPML_ECC_CURVE = list("TPML_ECC_CURVE", TPM_ECC_CURVE);
export const TPML_TAGGED_POLICY = list("TPML_TAGGED_POLICY", TPMS_TAGGED_POLICY);
export const TPML_ACT_DATA = list("TPML_ACT_DATA", TPMS_ACT_DATA);
export const TPML_SPDM_SESSION_INFO = list("TPML_SPDM_SESSION_INFO", TPMS_SPDM_SESSION_INFO);
