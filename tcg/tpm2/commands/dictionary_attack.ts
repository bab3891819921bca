// Dictionary attack protection (Part 3, 25).

import { u32 } from "../../kernel/codec.ts";
import { command, user } from "../command.ts";
import { TPMI_RH_LOCKOUT } from "../handle_types.ts";

export const TPM2_DictionaryAttackLockReset = command("DictionaryAttackLockReset", {
  section: "25.2",
  handles: { lockHandle: user(TPMI_RH_LOCKOUT) },
  nv: true,
});

export const TPM2_DictionaryAttackParameters = command("DictionaryAttackParameters", {
  section: "25.3",
  handles: { lockHandle: user(TPMI_RH_LOCKOUT) },
  parameters: { newMaxTries: u32, newRecoveryTime: u32, lockoutRecovery: u32 },
  nv: true,
});
