// Clocks and timers (Part 3, 29).

import { u64 } from "../../kernel/codec.ts";
import { command, user } from "../command.ts";
import { TPM_CLOCK_ADJUST } from "../constants.ts";
import { TPMI_RH_PROVISION } from "../handle_types.ts";
import { TPMS_TIME_INFO } from "../structures/attestation.ts";

export const TPM2_ReadClock = command("ReadClock", {
  section: "29.1",
  response: { currentTime: TPMS_TIME_INFO },
});

export const TPM2_ClockSet = command("ClockSet", {
  section: "29.2",
  handles: { auth: user(TPMI_RH_PROVISION) },
  parameters: { newTime: u64 },
  nv: true,
});

export const TPM2_ClockRateAdjust = command("ClockRateAdjust", {
  section: "29.3",
  handles: { auth: user(TPMI_RH_PROVISION) },
  parameters: { rateAdjust: TPM_CLOCK_ADJUST },
});
