// The endorsement key (Part 3, 14, 27.6 and 27.7).

import { secret } from "../../kernel/bytes.ts";
import { command } from "../command.ts";
import { TPM_KEY_HANDLE } from "../handle_types.ts";
import { TPM_KEY_PARMS, TPM_PUBKEY } from "../structures/keys.ts";
import { TPM_BOOL, TPM_DIGEST, TPM_NONCE } from "../types.ts";

export const TPM_CreateEndorsementKeyPair = command("CreateEndorsementKeyPair", {
  section: "14.1",
  parameters: { antiReplay: TPM_NONCE, keyInfo: TPM_KEY_PARMS },
  response: { pubEndorsementKey: TPM_PUBKEY, checksum: TPM_DIGEST },
});

export const TPM_CreateRevocableEK = command("CreateRevocableEK", {
  section: "14.2",
  parameters: {
    antiReplay: TPM_NONCE,
    keyInfo: TPM_KEY_PARMS,
    generateReset: TPM_BOOL,
    inputEKreset: secret(TPM_NONCE),
  },
  response: {
    pubEndorsementKey: TPM_PUBKEY,
    checksum: TPM_DIGEST,
    outputEKreset: secret(TPM_NONCE),
  },
});

export const TPM_RevokeTrust = command("RevokeTrust", {
  section: "14.3",
  parameters: { EKReset: secret(TPM_NONCE) },
});

export const TPM_ReadPubek = command("ReadPubek", {
  section: "14.4",
  parameters: { antiReplay: TPM_NONCE },
  response: { pubEndorsementKey: TPM_PUBKEY, checksum: TPM_DIGEST },
});

/** Here the handle is a parameter: the HMAC is over it. */
export const TPM_OwnerReadInternalPub = command("OwnerReadInternalPub", {
  section: "14.5",
  parameters: { keyHandle: TPM_KEY_HANDLE },
  response: { publicPortion: TPM_PUBKEY },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_OwnerReadPubek = command("OwnerReadPubek", {
  section: "27.6",
  response: { pubEndorsementKey: TPM_PUBKEY },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_DisablePubekRead = command("DisablePubekRead", {
  section: "27.7",
  authorizations: { ownerAuth: "owner" },
});
