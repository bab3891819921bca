// Integrity collection, PCR (Part 3, 22).

import { secret } from "../../kernel/bytes.ts";
import { u32 } from "../../kernel/codec.ts";
import { TPMI_ALG_HASH } from "../algorithms.ts";
import { command, user } from "../command.ts";
import { TPMI_DH_PCR, TPMI_RH_PLATFORM } from "../handle_types.ts";
import { TPM2B_DIGEST, TPM2B_EVENT } from "../structures/digests.ts";
import { TPML_DIGEST, TPML_DIGEST_VALUES, TPML_PCR_SELECTION } from "../structures/lists.ts";
import { TPMI_YES_NO } from "../types.ts";

export const TPM2_PCR_Extend = command("PCR_Extend", {
  section: "22.2",
  handles: { pcrHandle: user(TPMI_DH_PCR) },
  parameters: { digests: TPML_DIGEST_VALUES },
  nv: true,
});

export const TPM2_PCR_Event = command("PCR_Event", {
  section: "22.3",
  handles: { pcrHandle: user(TPMI_DH_PCR) },
  parameters: { eventData: TPM2B_EVENT },
  response: { digests: TPML_DIGEST_VALUES },
  nv: true,
});

export const TPM2_PCR_Read = command("PCR_Read", {
  section: "22.4",
  parameters: { pcrSelectionIn: TPML_PCR_SELECTION },
  response: { pcrUpdateCounter: u32, pcrSelectionOut: TPML_PCR_SELECTION, pcrValues: TPML_DIGEST },
});

export const TPM2_PCR_Allocate = command("PCR_Allocate", {
  section: "22.5",
  handles: { authHandle: user(TPMI_RH_PLATFORM) },
  parameters: { pcrAllocation: TPML_PCR_SELECTION },
  response: { allocationSuccess: TPMI_YES_NO, maxPCR: u32, sizeNeeded: u32, sizeAvailable: u32 },
  nv: true,
});

export const TPM2_PCR_SetAuthPolicy = command("PCR_SetAuthPolicy", {
  section: "22.6",
  handles: { authHandle: user(TPMI_RH_PLATFORM) },
  parameters: { authPolicy: TPM2B_DIGEST, hashAlg: TPMI_ALG_HASH, pcrNum: TPMI_DH_PCR },
  nv: true,
});

export const TPM2_PCR_SetAuthValue = command("PCR_SetAuthValue", {
  section: "22.7",
  handles: { pcrHandle: user(TPMI_DH_PCR) },
  parameters: { auth: secret(TPM2B_DIGEST) },
});

export const TPM2_PCR_Reset = command("PCR_Reset", {
  section: "22.8",
  handles: { pcrHandle: user(TPMI_DH_PCR) },
  nv: true,
});
