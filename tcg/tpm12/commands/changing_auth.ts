// New auth values (Part 3, 17 and 27.4).

import { secret } from "../../kernel/bytes.ts";
import { command } from "../command.ts";
import { TPM_ENTITY_TYPE, TPM_PROTOCOL_ID } from "../constants.ts";
import { TPM_KEY_HANDLE } from "../handle_types.ts";
import { TPM_CERTIFY_INFO } from "../structures/attestation.ts";
import { TPM_KEY, TPM_KEY_PARMS } from "../structures/keys.ts";
import { buffer, TPM_DIGEST, TPM_ENCAUTH, TPM_HMAC, TPM_NONCE } from "../types.ts";

export const TPM_ChangeAuth = command("ChangeAuth", {
  section: "17.1",
  handles: { parentHandle: TPM_KEY_HANDLE },
  parameters: {
    protocolID: TPM_PROTOCOL_ID,
    newAuth: TPM_ENCAUTH,
    entityType: TPM_ENTITY_TYPE,
    encData: secret(buffer()),
  },
  response: { outData: secret(buffer()) },
  authorizations: { parentAuth: "parentHandle", entityAuth: "encData" },
});

export const TPM_ChangeAuthOwner = command("ChangeAuthOwner", {
  section: "17.2",
  parameters: { protocolID: TPM_PROTOCOL_ID, newAuth: TPM_ENCAUTH, entityType: TPM_ENTITY_TYPE },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_ChangeAuthAsymStart = command("ChangeAuthAsymStart", {
  section: "27.4.1",
  handles: { idHandle: TPM_KEY_HANDLE },
  parameters: { antiReplay: TPM_NONCE, tempKey: TPM_KEY_PARMS },
  response: {
    certifyInfo: TPM_CERTIFY_INFO,
    sig: buffer(),
    ephHandle: TPM_KEY_HANDLE,
    tempKey: TPM_KEY,
  },
  authorizations: { idAuth: "idHandle" },
  optional: 1,
});

export const TPM_ChangeAuthAsymFinish = command("ChangeAuthAsymFinish", {
  section: "27.4.2",
  handles: { parentHandle: TPM_KEY_HANDLE, ephHandle: TPM_KEY_HANDLE },
  parameters: {
    entityType: TPM_ENTITY_TYPE,
    /** New auth values could be tried out against it, and against the proof. */
    newAuthLink: secret(TPM_HMAC),
    encNewAuth: secret(buffer()),
    encData: secret(buffer()),
  },
  response: { outData: secret(buffer()), saltNonce: TPM_NONCE, changeProof: secret(TPM_DIGEST) },
  authorizations: { privAuth: "parentHandle" },
  optional: 1,
});
