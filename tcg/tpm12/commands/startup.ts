// Start and end (Part 3, 3).

import { TPM_STARTUP_TYPE } from "../constants.ts";
import { command } from "../command.ts";

/** No software can send it: the platform's reset does what it stands for. */
export const TPM_Init = command("Init", { section: "3.1" });

export const TPM_Startup = command("Startup", {
  section: "3.2",
  parameters: { startupType: TPM_STARTUP_TYPE },
});

export const TPM_SaveState = command("SaveState", { section: "3.3" });
