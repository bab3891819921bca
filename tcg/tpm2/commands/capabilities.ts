// Capabilities (Part 3, 30).

import { u32 } from "../../kernel/codec.ts";
import { command, user } from "../command.ts";
import { TPM_CAP_ID } from "../constants.ts";
import { TPMI_RH_HIERARCHY } from "../handle_types.ts";
import { TPM2B_SET_CAPABILITY_DATA, TPMS_CAPABILITY_DATA } from "../structures/capabilities.ts";
import { TPMT_PUBLIC_PARMS } from "../structures/objects.ts";
import { TPMI_YES_NO } from "../types.ts";

export const TPM2_GetCapability = command("GetCapability", {
  section: "30.2",
  parameters: { capability: TPM_CAP_ID, property: u32, propertyCount: u32 },
  response: { moreData: TPMI_YES_NO, capabilityData: TPMS_CAPABILITY_DATA },
});

export const TPM2_TestParms = command("TestParms", {
  section: "30.3",
  parameters: { parameters: TPMT_PUBLIC_PARMS },
});

export const TPM2_SetCapability = command("SetCapability", {
  section: "30.4",
  handles: { authHandle: user(TPMI_RH_HIERARCHY) },
  parameters: { setCapabilityData: TPM2B_SET_CAPABILITY_DATA },
  nv: true,
});
