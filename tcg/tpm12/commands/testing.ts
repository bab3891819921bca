// Self-tests (Part 3, 4 and 28.3).

import { command } from "../command.ts";
import { TPM_KEY_HANDLE } from "../handle_types.ts";
import { buffer, TPM_NONCE } from "../types.ts";

export const TPM_SelfTestFull = command("SelfTestFull", { section: "4.1" });

export const TPM_ContinueSelfTest = command("ContinueSelfTest", { section: "4.2" });

export const TPM_GetTestResult = command("GetTestResult", {
  section: "4.3",
  response: { outData: buffer() },
});

export const TPM_CertifySelfTest = command("CertifySelfTest", {
  section: "28.3",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { antiReplay: TPM_NONCE },
  response: { sig: buffer() },
  authorizations: { privAuth: "keyHandle" },
  optional: 1,
});
