// Identities (Part 3, 15).

import { secret } from "../../kernel/bytes.ts";
import { command } from "../command.ts";
import { TPM_KEY_HANDLE } from "../handle_types.ts";
import { TPM_KEY, TPM_SYMMETRIC_KEY } from "../structures/keys.ts";
import { buffer, TPM_CHOSENID_HASH, TPM_ENCAUTH } from "../types.ts";

export const TPM_MakeIdentity = command("MakeIdentity", {
  section: "15.1",
  parameters: {
    identityAuth: TPM_ENCAUTH,
    labelPrivCADigest: TPM_CHOSENID_HASH,
    idKeyParams: TPM_KEY,
  },
  response: { idKey: TPM_KEY, identityBinding: buffer() },
  authorizations: { srkAuth: "SRK", ownerAuth: "owner" },
  optional: 1,
});

export const TPM_ActivateIdentity = command("ActivateIdentity", {
  section: "15.2",
  handles: { idKeyHandle: TPM_KEY_HANDLE },
  parameters: { blob: secret(buffer()) },
  response: { symmetricKey: TPM_SYMMETRIC_KEY },
  authorizations: { idKeyAuth: "idKeyHandle", ownerAuth: "owner" },
  optional: 1,
});
