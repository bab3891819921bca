// Time (Part 3, 23).

import { command } from "../command.ts";
import { TPM_KEY_HANDLE } from "../handle_types.ts";
import { TPM_CURRENT_TICKS } from "../structures/sessions.ts";
import { buffer, TPM_DIGEST, TPM_NONCE } from "../types.ts";

export const TPM_GetTicks = command("GetTicks", {
  section: "23.1",
  response: { currentTime: TPM_CURRENT_TICKS },
});

export const TPM_TickStampBlob = command("TickStampBlob", {
  section: "23.2",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { antiReplay: TPM_NONCE, digestToStamp: TPM_DIGEST },
  response: { currentTicks: TPM_CURRENT_TICKS, sig: buffer() },
  authorizations: { privAuth: "keyHandle" },
  optional: 1,
});
