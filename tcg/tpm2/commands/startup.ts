// Start-up (Part 3, 9).

import { command } from "../command.ts";
import { TPM_SU_TYPE } from "../constants.ts";

export const TPM2_Startup = command("Startup", {
  section: "9.3",
  parameters: { startupType: TPM_SU_TYPE },
  sessions: false,
  nv: true,
});

export const TPM2_Shutdown = command("Shutdown", {
  section: "9.4",
  parameters: { shutdownType: TPM_SU_TYPE },
  nv: true,
});
