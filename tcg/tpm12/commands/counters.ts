// Monotonic counters (Part 3, 25).

import { command } from "../command.ts";
import { TPM_COUNT_ID } from "../handle_types.ts";
import { COUNTER_LABEL, TPM_COUNTER_VALUE } from "../structures/counters.ts";
import { TPM_ENCAUTH } from "../types.ts";

export const TPM_CreateCounter = command("CreateCounter", {
  section: "25.1",
  parameters: { authData: TPM_ENCAUTH, label: COUNTER_LABEL },
  response: { countID: TPM_COUNT_ID, counterValue: TPM_COUNTER_VALUE },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_IncrementCounter = command("IncrementCounter", {
  section: "25.2",
  parameters: { countID: TPM_COUNT_ID },
  response: { count: TPM_COUNTER_VALUE },
  authorizations: { counterAuth: "countID" },
});

export const TPM_ReadCounter = command("ReadCounter", {
  section: "25.3",
  parameters: { countID: TPM_COUNT_ID },
  response: { count: TPM_COUNTER_VALUE },
});

export const TPM_ReleaseCounter = command("ReleaseCounter", {
  section: "25.4",
  parameters: { countID: TPM_COUNT_ID },
  authorizations: { counterAuth: "countID" },
});

export const TPM_ReleaseCounterOwner = command("ReleaseCounterOwner", {
  section: "25.5",
  parameters: { countID: TPM_COUNT_ID },
  authorizations: { ownerAuth: "owner" },
});
