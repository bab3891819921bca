// Switching the TPM and its features on and off (Part 3, 5).

import { command } from "../command.ts";
import { TPM_BOOL, TPM_SECRET } from "../types.ts";

export const TPM_SetOwnerInstall = command("SetOwnerInstall", {
  section: "5.1",
  parameters: { state: TPM_BOOL },
});

export const TPM_OwnerSetDisable = command("OwnerSetDisable", {
  section: "5.2",
  parameters: { disableState: TPM_BOOL },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_PhysicalEnable = command("PhysicalEnable", { section: "5.3" });

export const TPM_PhysicalDisable = command("PhysicalDisable", { section: "5.4" });

export const TPM_PhysicalSetDeactivated = command("PhysicalSetDeactivated", {
  section: "5.5",
  parameters: { state: TPM_BOOL },
});

export const TPM_SetTempDeactivated = command("SetTempDeactivated", {
  section: "5.6",
  authorizations: { operatorAuth: "operator" },
  optional: 1,
});

export const TPM_SetOperatorAuth = command("SetOperatorAuth", {
  section: "5.7",
  parameters: { operatorAuth: TPM_SECRET },
});
