// Capabilities (Part 3, 7 and 29.1). What a question and its answer hold depends on the area:
// structures/capabilities.ts.

import { TPM_CAPABILITY_AREA, TPM_SET_AREA } from "../capabilities.ts";
import { command } from "../command.ts";
import { TPM_KEY_HANDLE } from "../handle_types.ts";
import { NON_VOLATILE_FLAGS, VOLATILE_FLAGS } from "../structures/capabilities.ts";
import { TPM_VERSION } from "../structures/versions.ts";
import { buffer, TPM_NONCE } from "../types.ts";

export const TPM_GetCapability = command("GetCapability", {
  section: "7.1",
  parameters: { capArea: TPM_CAPABILITY_AREA, subCap: buffer() },
  response: { resp: buffer() },
});

export const TPM_SetCapability = command("SetCapability", {
  section: "7.2",
  parameters: { capArea: TPM_SET_AREA, subCap: buffer(), setValue: buffer() },
  authorizations: { ownerAuth: "owner" },
  optional: 1,
});

export const TPM_GetCapabilityOwner = command("GetCapabilityOwner", {
  section: "7.3",
  response: {
    version: TPM_VERSION,
    non_volatile_flags: NON_VOLATILE_FLAGS,
    volatile_flags: VOLATILE_FLAGS,
  },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_GetCapabilitySigned = command("GetCapabilitySigned", {
  section: "29.1",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { antiReplay: TPM_NONCE, capArea: TPM_CAPABILITY_AREA, subCap: buffer() },
  response: { version: TPM_VERSION, resp: buffer(), sig: buffer() },
  authorizations: { privAuth: "keyHandle" },
  optional: 1,
});
