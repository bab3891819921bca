// Authorisations in commands and responses (Part 2, 10.13). With a password session the HMAC is the
// password itself, so it is a secret.

import type { Value } from "../../kernel/codec.ts";
import { struct } from "../../kernel/struct.ts";
import { TPMA_SESSION } from "../attributes.ts";
import { TPMI_SH_AUTH_SESSION } from "../handle_types.ts";
import { TPM2B_AUTH, TPM2B_NONCE } from "./digests.ts";

export const TPMS_AUTH_COMMAND = struct("TPMS_AUTH_COMMAND", {
  sessionHandle: TPMI_SH_AUTH_SESSION,
  nonce: TPM2B_NONCE,
  sessionAttributes: TPMA_SESSION,
  hmac: TPM2B_AUTH,
});
export type TPMS_AUTH_COMMAND = Value<typeof TPMS_AUTH_COMMAND>;

export const TPMS_AUTH_RESPONSE = struct("TPMS_AUTH_RESPONSE", {
  nonce: TPM2B_NONCE,
  sessionAttributes: TPMA_SESSION,
  hmac: TPM2B_AUTH,
});
export type TPMS_AUTH_RESPONSE = Value<typeof TPMS_AUTH_RESPONSE>;
