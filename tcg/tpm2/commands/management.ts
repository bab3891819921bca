// Management (Part 3, 26).

import { u32 } from "../../kernel/codec.ts";
import { command, user } from "../command.ts";
import { TPMI_RH_PLATFORM } from "../handle_types.ts";
import { TPML_CC } from "../structures/lists.ts";

export const TPM2_PP_Commands = command("PP_Commands", {
  section: "26.2",
  handles: { auth: user(TPMI_RH_PLATFORM) },
  parameters: { setList: TPML_CC, clearList: TPML_CC },
  nv: true,
});

export const TPM2_SetAlgorithmSet = command("SetAlgorithmSet", {
  section: "26.3",
  handles: { authHandle: user(TPMI_RH_PLATFORM) },
  parameters: { algorithmSet: u32 },
  nv: true,
});
