// Self-tests (Part 3, 10).

import { command } from "../command.ts";
import { TPM_RC_CODE } from "../results.ts";
import { TPM2B_MAX_BUFFER } from "../structures/digests.ts";
import { TPML_ALG } from "../structures/lists.ts";
import { TPMI_YES_NO } from "../types.ts";

export const TPM2_SelfTest = command("SelfTest", {
  section: "10.2",
  parameters: { fullTest: TPMI_YES_NO },
  nv: true,
});

export const TPM2_IncrementalSelfTest = command("IncrementalSelfTest", {
  section: "10.3",
  parameters: { toTest: TPML_ALG },
  response: { toDoList: TPML_ALG },
  nv: true,
});

export const TPM2_GetTestResult = command("GetTestResult", {
  section: "10.4",
  response: { outData: TPM2B_MAX_BUFFER, testResult: TPM_RC_CODE },
});
