// Attestation (Part 3, 18).

import { admin, command, user } from "../command.ts";
import { TPMI_DH_OBJECT, TPMI_RH_ENDORSEMENT, TPMI_SH_HMAC } from "../handle_types.ts";
import { TPMT_SIG_SCHEME, TPMT_SIGNATURE } from "../structures/asymmetric.ts";
import { TPM2B_ATTEST } from "../structures/attestation.ts";
import { TPM2B_DATA, TPM2B_DIGEST, TPM2B_MAX_BUFFER } from "../structures/digests.ts";
import { TPML_PCR_SELECTION, TPMT_TK_CREATION } from "../structures/lists.ts";

export const TPM2_Certify = command("Certify", {
  section: "18.2",
  handles: { objectHandle: admin(TPMI_DH_OBJECT), signHandle: user(TPMI_DH_OBJECT) },
  parameters: { qualifyingData: TPM2B_DATA, inScheme: TPMT_SIG_SCHEME },
  response: { certifyInfo: TPM2B_ATTEST, signature: TPMT_SIGNATURE },
});

export const TPM2_CertifyCreation = command("CertifyCreation", {
  section: "18.3",
  handles: { signHandle: user(TPMI_DH_OBJECT), objectHandle: TPMI_DH_OBJECT },
  parameters: {
    qualifyingData: TPM2B_DATA,
    creationHash: TPM2B_DIGEST,
    inScheme: TPMT_SIG_SCHEME,
    creationTicket: TPMT_TK_CREATION,
  },
  response: { certifyInfo: TPM2B_ATTEST, signature: TPMT_SIGNATURE },
});

export const TPM2_Quote = command("Quote", {
  section: "18.4",
  handles: { signHandle: user(TPMI_DH_OBJECT) },
  parameters: {
    qualifyingData: TPM2B_DATA,
    inScheme: TPMT_SIG_SCHEME,
    PCRselect: TPML_PCR_SELECTION,
  },
  response: { quoted: TPM2B_ATTEST, signature: TPMT_SIGNATURE },
});

export const TPM2_GetSessionAuditDigest = command("GetSessionAuditDigest", {
  section: "18.5",
  handles: {
    privacyAdminHandle: user(TPMI_RH_ENDORSEMENT),
    signHandle: user(TPMI_DH_OBJECT),
    sessionHandle: TPMI_SH_HMAC,
  },
  parameters: { qualifyingData: TPM2B_DATA, inScheme: TPMT_SIG_SCHEME },
  response: { auditInfo: TPM2B_ATTEST, signature: TPMT_SIGNATURE },
});

export const TPM2_GetCommandAuditDigest = command("GetCommandAuditDigest", {
  section: "18.6",
  handles: { privacyHandle: user(TPMI_RH_ENDORSEMENT), signHandle: user(TPMI_DH_OBJECT) },
  parameters: { qualifyingData: TPM2B_DATA, inScheme: TPMT_SIG_SCHEME },
  response: { auditInfo: TPM2B_ATTEST, signature: TPMT_SIGNATURE },
  nv: true,
});

export const TPM2_GetTime = command("GetTime", {
  section: "18.7",
  handles: { privacyAdminHandle: user(TPMI_RH_ENDORSEMENT), signHandle: user(TPMI_DH_OBJECT) },
  parameters: { qualifyingData: TPM2B_DATA, inScheme: TPMT_SIG_SCHEME },
  response: { timeInfo: TPM2B_ATTEST, signature: TPMT_SIGNATURE },
});

export const TPM2_CertifyX509 = command("CertifyX509", {
  section: "18.8",
  handles: { objectHandle: admin(TPMI_DH_OBJECT), signHandle: user(TPMI_DH_OBJECT) },
  parameters: {
    reserved: TPM2B_DATA,
    inScheme: TPMT_SIG_SCHEME,
    partialCertificate: TPM2B_MAX_BUFFER,
  },
  response: {
    addedToCertificate: TPM2B_MAX_BUFFER,
    tbsDigest: TPM2B_DIGEST,
    signature: TPMT_SIGNATURE,
  },
});
