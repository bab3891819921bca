// Auditing (Part 3, 8).

import { command } from "../command.ts";
import { TPM_KEY_HANDLE } from "../handle_types.ts";
import { TPM_COMMAND_CODE } from "../ordinals.ts";
import { TPM_COUNTER_VALUE } from "../structures/counters.ts";
import { buffer, TPM_BOOL, TPM_DIGEST, TPM_NONCE } from "../types.ts";

export const TPM_GetAuditDigest = command("GetAuditDigest", {
  section: "8.3",
  parameters: { startOrdinal: TPM_COMMAND_CODE },
  response: {
    counterValue: TPM_COUNTER_VALUE,
    auditDigest: TPM_DIGEST,
    more: TPM_BOOL,
    ordList: buffer("TPM_COMMAND_CODE[]"),
  },
});

export const TPM_GetAuditDigestSigned = command("GetAuditDigestSigned", {
  section: "8.4",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { closeAudit: TPM_BOOL, antiReplay: TPM_NONCE },
  response: {
    counterValue: TPM_COUNTER_VALUE,
    auditDigest: TPM_DIGEST,
    ordinalDigest: TPM_DIGEST,
    sig: buffer(),
  },
  authorizations: { keyAuth: "keyHandle" },
  optional: 1,
});

export const TPM_SetOrdinalAuditStatus = command("SetOrdinalAuditStatus", {
  section: "8.5",
  parameters: { ordinalToAudit: TPM_COMMAND_CODE, auditState: TPM_BOOL },
  authorizations: { ownerAuth: "owner" },
});
