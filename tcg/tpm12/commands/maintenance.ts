// Maintenance (Part 3, 12); libtpms does not have it, as most TPMs do not.

import { secret } from "../../kernel/bytes.ts";
import { command } from "../command.ts";
import { TPM_PUBKEY } from "../structures/keys.ts";
import { buffer, TPM_BOOL, TPM_DIGEST, TPM_NONCE } from "../types.ts";

export const TPM_CreateMaintenanceArchive = command("CreateMaintenanceArchive", {
  section: "12.1",
  parameters: { generateRandom: TPM_BOOL },
  response: { random: secret(buffer()), archive: secret(buffer()) },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_LoadMaintenanceArchive = command("LoadMaintenanceArchive", {
  section: "12.2",
  parameters: { archive: secret(buffer()) },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_KillMaintenanceFeature = command("KillMaintenanceFeature", {
  section: "12.3",
  authorizations: { ownerAuth: "owner" },
});

export const TPM_LoadManuMaintPub = command("LoadManuMaintPub", {
  section: "12.4",
  parameters: { antiReplay: TPM_NONCE, pubKey: TPM_PUBKEY },
  response: { checksum: TPM_DIGEST },
});

export const TPM_ReadManuMaintPub = command("ReadManuMaintPub", {
  section: "12.5",
  parameters: { antiReplay: TPM_NONCE },
  response: { checksum: TPM_DIGEST },
});
