// Owners and physical presence (Part 3, 6).

import { secret } from "../../kernel/bytes.ts";
import { TPM_PHYSICAL_PRESENCE } from "../attributes.ts";
import { command, connectionCommand } from "../command.ts";
import { TPM_PROTOCOL_ID } from "../constants.ts";
import { TPM_KEY } from "../structures/keys.ts";
import { buffer } from "../types.ts";

export const TPM_TakeOwnership = command("TakeOwnership", {
  section: "6.1",
  parameters: {
    protocolID: TPM_PROTOCOL_ID,
    encOwnerAuth: secret(buffer()),
    encSrkAuth: secret(buffer()),
    srkParams: TPM_KEY,
  },
  response: { srkPub: TPM_KEY },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_OwnerClear = command("OwnerClear", {
  section: "6.2",
  authorizations: { ownerAuth: "owner" },
});

export const TPM_ForceClear = command("ForceClear", { section: "6.3" });

export const TPM_DisableOwnerClear = command("DisableOwnerClear", {
  section: "6.4",
  authorizations: { ownerAuth: "owner" },
});

export const TPM_DisableForceClear = command("DisableForceClear", { section: "6.5" });

export const TSC_PhysicalPresence = connectionCommand("PhysicalPresence", {
  section: "6.6",
  parameters: { physicalPresence: TPM_PHYSICAL_PRESENCE },
});

export const TSC_ResetEstablishmentBit = connectionCommand("ResetEstablishmentBit", {
  section: "6.7",
});
