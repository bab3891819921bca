// Ephemeral EC keys (Part 3, 19).

import { u16 } from "../../kernel/codec.ts";
import { TPMI_ECC_CURVE } from "../algorithms.ts";
import { command, user } from "../command.ts";
import { TPMI_DH_OBJECT } from "../handle_types.ts";
import { TPM2B_ECC_PARAMETER, TPM2B_ECC_POINT } from "../structures/asymmetric.ts";
import { TPM2B_SENSITIVE_DATA } from "../structures/symmetric.ts";

export const TPM2_Commit = command("Commit", {
  section: "19.2",
  handles: { signHandle: user(TPMI_DH_OBJECT) },
  parameters: { P1: TPM2B_ECC_POINT, s2: TPM2B_SENSITIVE_DATA, y2: TPM2B_ECC_PARAMETER },
  response: { K: TPM2B_ECC_POINT, L: TPM2B_ECC_POINT, E: TPM2B_ECC_POINT, counter: u16 },
});

export const TPM2_EC_Ephemeral = command("EC_Ephemeral", {
  section: "19.3",
  parameters: { curveID: TPMI_ECC_CURVE },
  response: { Q: TPM2B_ECC_POINT, counter: u16 },
});
