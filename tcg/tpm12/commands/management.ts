// Management (Part 3, 9). TPM_FieldUpgrade is left to vendors, and libtpms has none.

import { u32 } from "../../kernel/codec.ts";
import { command } from "../command.ts";
import { TPM_KEY_HANDLE } from "../handle_types.ts";
import { buffer } from "../types.ts";

export const TPM_SetRedirection = command("SetRedirection", {
  section: "9.2",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { redirCmd: u32, inputData: buffer() },
  authorizations: { ownerAuth: "owner" },
  optional: 1,
});

export const TPM_ResetLockValue = command("ResetLockValue", {
  section: "9.3",
  authorizations: { ownerAuth: "owner" },
});
