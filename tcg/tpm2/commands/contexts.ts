// Contexts (Part 3, 28).

import { command, user } from "../command.ts";
import {
  TPMI_DH_CONTEXT,
  TPMI_DH_OBJECT,
  TPMI_DH_PERSISTENT,
  TPMI_RH_PROVISION,
} from "../handle_types.ts";
import { TPMS_CONTEXT } from "../structures/storage.ts";

export const TPM2_ContextSave = command("ContextSave", {
  section: "28.2",
  handles: { saveHandle: TPMI_DH_CONTEXT },
  response: { context: TPMS_CONTEXT },
  sessions: false,
});

export const TPM2_ContextLoad = command("ContextLoad", {
  section: "28.3",
  parameters: { context: TPMS_CONTEXT },
  responseHandles: { loadedHandle: TPMI_DH_CONTEXT },
  sessions: false,
});

export const TPM2_FlushContext = command("FlushContext", {
  section: "28.4",
  parameters: { flushHandle: TPMI_DH_CONTEXT },
  sessions: false,
});

export const TPM2_EvictControl = command("EvictControl", {
  section: "28.5",
  handles: { auth: user(TPMI_RH_PROVISION), objectHandle: TPMI_DH_OBJECT },
  parameters: { persistentHandle: TPMI_DH_PERSISTENT },
  nv: true,
});
