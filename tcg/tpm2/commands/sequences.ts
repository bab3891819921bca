// Hash, HMAC and event sequences (Part 3, 17).

import { secret } from "../../kernel/bytes.ts";
import { TPMI_ALG_HASH } from "../algorithms.ts";
import { command, user } from "../command.ts";
import { TPMI_DH_OBJECT, TPMI_DH_PCR, TPMI_RH_HIERARCHY } from "../handle_types.ts";
import { TPM2B_AUTH, TPM2B_DIGEST, TPM2B_MAX_BUFFER } from "../structures/digests.ts";
import { TPML_DIGEST_VALUES, TPMT_TK_HASHCHECK } from "../structures/lists.ts";

/** TPM2_MAC_Start (17.3) is the same on the wire; its inScheme stands for hashAlg. */
export const TPM2_HMAC_Start = command("HMAC_Start", {
  section: "17.2",
  handles: { handle: user(TPMI_DH_OBJECT) },
  parameters: { auth: TPM2B_AUTH, hashAlg: TPMI_ALG_HASH },
  responseHandles: { sequenceHandle: TPMI_DH_OBJECT },
});

export const TPM2_HashSequenceStart = command("HashSequenceStart", {
  section: "17.4",
  parameters: { auth: TPM2B_AUTH, hashAlg: TPMI_ALG_HASH },
  responseHandles: { sequenceHandle: TPMI_DH_OBJECT },
});

export const TPM2_SequenceUpdate = command("SequenceUpdate", {
  section: "17.5",
  handles: { sequenceHandle: user(TPMI_DH_OBJECT) },
  parameters: { buffer: TPM2B_MAX_BUFFER },
});

export const TPM2_SequenceComplete = command("SequenceComplete", {
  section: "17.6",
  handles: { sequenceHandle: user(TPMI_DH_OBJECT) },
  parameters: { buffer: TPM2B_MAX_BUFFER, hierarchy: TPMI_RH_HIERARCHY },
  response: { result: secret(TPM2B_DIGEST), validation: TPMT_TK_HASHCHECK },
  flushed: true,
});

export const TPM2_EventSequenceComplete = command("EventSequenceComplete", {
  section: "17.7",
  handles: { pcrHandle: user(TPMI_DH_PCR), sequenceHandle: user(TPMI_DH_OBJECT) },
  parameters: { buffer: TPM2B_MAX_BUFFER },
  response: { results: TPML_DIGEST_VALUES },
  nv: true,
  flushed: true,
});
