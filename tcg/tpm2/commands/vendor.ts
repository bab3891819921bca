// Vendors' commands (Part 3, 34).

import { command } from "../command.ts";
import { TPM2B_DATA } from "../structures/digests.ts";

export const TPM2_Vendor_TCG_Test = command("Vendor_TCG_Test", {
  section: "34.2",
  parameters: { inputData: TPM2B_DATA },
  response: { outputData: TPM2B_DATA },
});
