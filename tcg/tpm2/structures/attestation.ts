// Clocks and what a TPM attests to (Part 2, 10.11 and 10.12).

import { secret } from "../../kernel/bytes.ts";
import { u16, u32, u64, type Value } from "../../kernel/codec.ts";
import { by, struct, union } from "../../kernel/struct.ts";
import { TPM_ALG_ID } from "../algorithms.ts";
import { TPM_GENERATED, TPM_ST, TPMI_ST_ATTEST } from "../constants.ts";
import { tpm2b, TPMI_YES_NO } from "../types.ts";
import { TPM2B_DATA, TPM2B_DIGEST, TPM2B_MAX_NV_BUFFER, TPM2B_NAME } from "./digests.ts";
import { TPML_PCR_SELECTION } from "./lists.ts";

export const TPMS_CLOCK_INFO = struct("TPMS_CLOCK_INFO", {
  clock: u64,
  resetCount: u32,
  restartCount: u32,
  safe: TPMI_YES_NO,
});
export const TPMS_TIME_INFO = struct("TPMS_TIME_INFO", { time: u64, clockInfo: TPMS_CLOCK_INFO });

export const TPMS_TIME_ATTEST_INFO = struct("TPMS_TIME_ATTEST_INFO", {
  time: TPMS_TIME_INFO,
  firmwareVersion: u64,
});
export const TPMS_CERTIFY_INFO = struct("TPMS_CERTIFY_INFO", {
  name: TPM2B_NAME,
  qualifiedName: TPM2B_NAME,
});
export const TPMS_QUOTE_INFO = struct("TPMS_QUOTE_INFO", {
  pcrSelect: TPML_PCR_SELECTION,
  pcrDigest: TPM2B_DIGEST,
});
export const TPMS_COMMAND_AUDIT_INFO = struct("TPMS_COMMAND_AUDIT_INFO", {
  auditCounter: u64,
  digestAlg: TPM_ALG_ID,
  auditDigest: TPM2B_DIGEST,
  commandDigest: TPM2B_DIGEST,
});
export const TPMS_SESSION_AUDIT_INFO = struct("TPMS_SESSION_AUDIT_INFO", {
  exclusiveSession: TPMI_YES_NO,
  sessionDigest: TPM2B_DIGEST,
});
export const TPMS_CREATION_INFO = struct("TPMS_CREATION_INFO", {
  objectName: TPM2B_NAME,
  creationHash: TPM2B_DIGEST,
});
export const TPMS_NV_CERTIFY_INFO = struct("TPMS_NV_CERTIFY_INFO", {
  indexName: TPM2B_NAME,
  offset: u16,
  nvContents: TPM2B_MAX_NV_BUFFER,
});
export const TPMS_NV_DIGEST_CERTIFY_INFO = struct("TPMS_NV_DIGEST_CERTIFY_INFO", {
  indexName: TPM2B_NAME,
  nvDigest: secret(TPM2B_DIGEST),
});

export const TPMU_ATTEST = union("TPMU_ATTEST", {
  certify: [TPM_ST.ATTEST_CERTIFY, TPMS_CERTIFY_INFO],
  creation: [TPM_ST.ATTEST_CREATION, TPMS_CREATION_INFO],
  quote: [TPM_ST.ATTEST_QUOTE, TPMS_QUOTE_INFO],
  commandAudit: [TPM_ST.ATTEST_COMMAND_AUDIT, TPMS_COMMAND_AUDIT_INFO],
  sessionAudit: [TPM_ST.ATTEST_SESSION_AUDIT, TPMS_SESSION_AUDIT_INFO],
  time: [TPM_ST.ATTEST_TIME, TPMS_TIME_ATTEST_INFO],
  nv: [TPM_ST.ATTEST_NV, TPMS_NV_CERTIFY_INFO],
  nvDigest: [TPM_ST.ATTEST_NV_DIGEST, TPMS_NV_DIGEST_CERTIFY_INFO],
});

export const TPMS_ATTEST = struct("TPMS_ATTEST", {
  magic: TPM_GENERATED,
  type: TPMI_ST_ATTEST,
  qualifiedSigner: TPM2B_NAME,
  extraData: TPM2B_DATA,
  clockInfo: TPMS_CLOCK_INFO,
  firmwareVersion: u64,
  attested: by("type", TPMU_ATTEST),
});
export type TPMS_ATTEST = Value<typeof TPMS_ATTEST>;

/** The bytes are what is signed. */
export const TPM2B_ATTEST = tpm2b("TPM2B_ATTEST", { holds: [TPMS_ATTEST] });
