// Authenticated countdown timers (Part 3, 33).

import { u32 } from "../../kernel/codec.ts";
import { command, user } from "../command.ts";
import { TPMI_RH_ACT } from "../handle_types.ts";

export const TPM2_ACT_SetTimeout = command("ACT_SetTimeout", {
  section: "33.2",
  handles: { actHandle: user(TPMI_RH_ACT) },
  parameters: { startTimeout: u32 },
});
