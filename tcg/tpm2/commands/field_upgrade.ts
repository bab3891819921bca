// Field upgrade (Part 3, 27). libtpms has none of it.

import { u32 } from "../../kernel/codec.ts";
import { admin, command } from "../command.ts";
import { TPMI_DH_OBJECT, TPMI_RH_PLATFORM } from "../handle_types.ts";
import { TPMT_SIGNATURE } from "../structures/asymmetric.ts";
import { TPM2B_DIGEST, TPM2B_MAX_BUFFER, TPMT_HA } from "../structures/digests.ts";

export const TPM2_FieldUpgradeStart = command("FieldUpgradeStart", {
  section: "27.2",
  handles: { authorization: admin(TPMI_RH_PLATFORM), keyHandle: TPMI_DH_OBJECT },
  parameters: { fuDigest: TPM2B_DIGEST, manifestSignature: TPMT_SIGNATURE },
});

export const TPM2_FieldUpgradeData = command("FieldUpgradeData", {
  section: "27.3",
  parameters: { fuData: TPM2B_MAX_BUFFER },
  response: { nextDigest: TPMT_HA, firstDigest: TPMT_HA },
  nv: true,
});

export const TPM2_FirmwareRead = command("FirmwareRead", {
  section: "27.4",
  parameters: { sequenceNumber: u32 },
  response: { fuData: TPM2B_MAX_BUFFER },
});
