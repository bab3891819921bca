// Signing and signature verification (Part 3, 20).

import { command, user } from "../command.ts";
import { TPMI_DH_OBJECT } from "../handle_types.ts";
import { TPMT_SIG_SCHEME, TPMT_SIGNATURE } from "../structures/asymmetric.ts";
import { TPM2B_DIGEST } from "../structures/digests.ts";
import { TPMT_TK_HASHCHECK, TPMT_TK_VERIFIED } from "../structures/lists.ts";

export const TPM2_VerifySignature = command("VerifySignature", {
  section: "20.1",
  handles: { keyHandle: TPMI_DH_OBJECT },
  parameters: { digest: TPM2B_DIGEST, signature: TPMT_SIGNATURE },
  response: { validation: TPMT_TK_VERIFIED },
});

export const TPM2_Sign = command("Sign", {
  section: "20.2",
  handles: { keyHandle: user(TPMI_DH_OBJECT) },
  parameters: { digest: TPM2B_DIGEST, inScheme: TPMT_SIG_SCHEME, validation: TPMT_TK_HASHCHECK },
  response: { signature: TPMT_SIGNATURE },
});
