// Symmetric primitives (Part 3, 15).

import { secret } from "../../kernel/bytes.ts";
import { TPMI_ALG_CIPHER_MODE, TPMI_ALG_HASH } from "../algorithms.ts";
import { command, user } from "../command.ts";
import { TPMI_DH_OBJECT, TPMI_RH_HIERARCHY } from "../handle_types.ts";
import { TPM2B_DIGEST, TPM2B_IV, TPM2B_MAX_BUFFER } from "../structures/digests.ts";
import { TPMT_TK_HASHCHECK } from "../structures/lists.ts";
import { TPMI_YES_NO } from "../types.ts";

export const TPM2_EncryptDecrypt = command("EncryptDecrypt", {
  section: "15.2",
  handles: { keyHandle: user(TPMI_DH_OBJECT) },
  parameters: {
    decrypt: TPMI_YES_NO,
    mode: TPMI_ALG_CIPHER_MODE,
    ivIn: TPM2B_IV,
    inData: TPM2B_MAX_BUFFER,
  },
  response: { outData: TPM2B_MAX_BUFFER, ivOut: TPM2B_IV },
});

export const TPM2_EncryptDecrypt2 = command("EncryptDecrypt2", {
  section: "15.3",
  handles: { keyHandle: user(TPMI_DH_OBJECT) },
  parameters: {
    inData: TPM2B_MAX_BUFFER,
    decrypt: TPMI_YES_NO,
    mode: TPMI_ALG_CIPHER_MODE,
    ivIn: TPM2B_IV,
  },
  response: { outData: TPM2B_MAX_BUFFER, ivOut: TPM2B_IV },
});

export const TPM2_Hash = command("Hash", {
  section: "15.4",
  parameters: { data: TPM2B_MAX_BUFFER, hashAlg: TPMI_ALG_HASH, hierarchy: TPMI_RH_HIERARCHY },
  response: { outHash: secret(TPM2B_DIGEST), validation: TPMT_TK_HASHCHECK },
});

/** TPM2_MAC (15.6) is the same on the wire; its inScheme stands for hashAlg. */
export const TPM2_HMAC = command("HMAC", {
  section: "15.5",
  handles: { handle: user(TPMI_DH_OBJECT) },
  parameters: { buffer: TPM2B_MAX_BUFFER, hashAlg: TPMI_ALG_HASH },
  response: { outHMAC: secret(TPM2B_DIGEST) },
});
