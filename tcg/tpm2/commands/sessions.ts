// Sessions (Part 3, 11).

import { TPMI_ALG_HASH } from "../algorithms.ts";
import { command } from "../command.ts";
import { TPM_SE_TYPE } from "../constants.ts";
import {
  TPMI_DH_ENTITY,
  TPMI_DH_OBJECT,
  TPMI_SH_AUTH_SESSION,
  TPMI_SH_POLICY,
} from "../handle_types.ts";
import { TPM2B_ENCRYPTED_SECRET } from "../structures/asymmetric.ts";
import { TPM2B_NONCE } from "../structures/digests.ts";
import { TPMT_SYM_DEF } from "../structures/symmetric.ts";

export const TPM2_StartAuthSession = command("StartAuthSession", {
  section: "11.1",
  handles: { tpmKey: TPMI_DH_OBJECT, bind: TPMI_DH_ENTITY },
  parameters: {
    nonceCaller: TPM2B_NONCE,
    encryptedSalt: TPM2B_ENCRYPTED_SECRET,
    sessionType: TPM_SE_TYPE,
    symmetric: TPMT_SYM_DEF,
    authHash: TPMI_ALG_HASH,
  },
  responseHandles: { sessionHandle: TPMI_SH_AUTH_SESSION },
  response: { nonceTPM: TPM2B_NONCE },
});

export const TPM2_PolicyRestart = command("PolicyRestart", {
  section: "11.2",
  handles: { sessionHandle: TPMI_SH_POLICY },
});
