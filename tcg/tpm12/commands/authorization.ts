// Sessions for authorisation (Part 3, 18).

import { command } from "../command.ts";
import { TPM_ENTITY_TYPE } from "../constants.ts";
import { TPM_AUTHHANDLE, TPM_HANDLE, TPM_KEY_HANDLE } from "../handle_types.ts";
import { DELEGATION } from "../structures/delegation.ts";
import { TPM_NONCE } from "../types.ts";

export const TPM_OIAP = command("OIAP", {
  section: "18.1",
  beginsSession: true,
  response: { authHandle: TPM_AUTHHANDLE, nonceEven: TPM_NONCE },
});

export const TPM_OSAP = command("OSAP", {
  section: "18.2",
  beginsSession: true,
  parameters: {
    entityType: TPM_ENTITY_TYPE,
    entityValue: TPM_HANDLE,
    nonceOddOSAP: TPM_NONCE,
  },
  response: { authHandle: TPM_AUTHHANDLE, nonceEven: TPM_NONCE, nonceEvenOSAP: TPM_NONCE },
});

/** Of its parameters a transport session encrypts entityValue alone. */
export const TPM_DSAP = command("DSAP", {
  section: "18.3",
  beginsSession: true,
  parameters: {
    entityType: TPM_ENTITY_TYPE,
    keyHandle: TPM_KEY_HANDLE,
    nonceOddDSAP: TPM_NONCE,
    entityValue: DELEGATION,
  },
  response: { authHandle: TPM_AUTHHANDLE, nonceEven: TPM_NONCE, nonceEvenDSAP: TPM_NONCE },
});

export const TPM_SetOwnerPointer = command("SetOwnerPointer", {
  section: "18.4",
  parameters: { entityType: TPM_ENTITY_TYPE, entityValue: TPM_HANDLE },
});
