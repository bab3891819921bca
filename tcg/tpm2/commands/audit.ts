// Command audit (Part 3, 21).

import { TPMI_ALG_HASH } from "../algorithms.ts";
import { command, user } from "../command.ts";
import { TPMI_RH_PROVISION } from "../handle_types.ts";
import { TPML_CC } from "../structures/lists.ts";

export const TPM2_SetCommandCodeAuditStatus = command("SetCommandCodeAuditStatus", {
  section: "21.2",
  handles: { auth: user(TPMI_RH_PROVISION) },
  parameters: { auditAlg: TPMI_ALG_HASH, setList: TPML_CC, clearList: TPML_CC },
  nv: true,
});
