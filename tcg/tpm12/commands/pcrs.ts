// PCRs and quotes (Part 3, 16).

import { command } from "../command.ts";
import { TPM_KEY_HANDLE, TPM_PCRINDEX } from "../handle_types.ts";
import { TPM_PCR_COMPOSITE, TPM_PCR_INFO_SHORT, TPM_PCR_SELECTION } from "../structures/pcrs.ts";
import { TPM_CAP_VERSION_INFO } from "../structures/versions.ts";
import { buffer, holding, TPM_BOOL, TPM_DIGEST, TPM_NONCE, TPM_PCRVALUE } from "../types.ts";

export const TPM_Extend = command("Extend", {
  section: "16.1",
  parameters: { pcrNum: TPM_PCRINDEX, inDigest: TPM_DIGEST },
  response: { outDigest: TPM_PCRVALUE },
});

export const TPM_PcrRead = command("PcrRead", {
  section: "16.2",
  parameters: { pcrIndex: TPM_PCRINDEX },
  response: { outDigest: TPM_PCRVALUE },
});

export const TPM_Quote = command("Quote", {
  section: "16.3",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { externalData: TPM_NONCE, targetPCR: TPM_PCR_SELECTION },
  response: { pcrData: TPM_PCR_COMPOSITE, sig: buffer() },
  authorizations: { privAuth: "keyHandle" },
  optional: 1,
});

export const TPM_PCR_Reset = command("PCR_Reset", {
  section: "16.4",
  parameters: { pcrSelection: TPM_PCR_SELECTION },
});

export const TPM_Quote2 = command("Quote2", {
  section: "16.5",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { externalData: TPM_NONCE, targetPCR: TPM_PCR_SELECTION, addVersion: TPM_BOOL },
  response: {
    pcrData: TPM_PCR_INFO_SHORT,
    versionInfo: holding(TPM_CAP_VERSION_INFO),
    sig: buffer(),
  },
  authorizations: { privAuth: "keyHandle" },
  optional: 1,
});
