// Sealed data and keys (Part 3, 10 and 27.8).

import { secret } from "../../kernel/bytes.ts";
import { command } from "../command.ts";
import { TPM_KEY_HANDLE } from "../handle_types.ts";
import { TPM_KEY, TPM_PUBKEY } from "../structures/keys.ts";
import { PCR_INFO } from "../structures/pcrs.ts";
import { TPM_STORED_DATA } from "../structures/storage.ts";
import { buffer, TPM_ENCAUTH } from "../types.ts";

export const TPM_Seal = command("Seal", {
  section: "10.1",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { encAuth: TPM_ENCAUTH, pcrInfo: PCR_INFO, inData: secret(buffer()) },
  response: { sealedData: TPM_STORED_DATA },
  authorizations: { pubAuth: "keyHandle" },
});

export const TPM_Unseal = command("Unseal", {
  section: "10.2",
  handles: { parentHandle: TPM_KEY_HANDLE },
  parameters: { inData: TPM_STORED_DATA },
  response: { secret: secret(buffer()) },
  authorizations: { parentAuth: "parentHandle", dataAuth: "inData" },
  optional: 1,
});

export const TPM_UnBind = command("UnBind", {
  section: "10.3",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { inData: secret(buffer()) },
  response: { outData: secret(buffer()) },
  authorizations: { privAuth: "keyHandle" },
  optional: 1,
});

export const TPM_CreateWrapKey = command("CreateWrapKey", {
  section: "10.4",
  handles: { parentHandle: TPM_KEY_HANDLE },
  parameters: { dataUsageAuth: TPM_ENCAUTH, dataMigrationAuth: TPM_ENCAUTH, keyInfo: TPM_KEY },
  response: { wrappedKey: TPM_KEY },
  authorizations: { pubAuth: "parentHandle" },
});

export const TPM_LoadKey2 = command("LoadKey2", {
  section: "10.5",
  handles: { parentHandle: TPM_KEY_HANDLE },
  parameters: { inKey: TPM_KEY },
  responseHandles: { inkeyHandle: TPM_KEY_HANDLE },
  authorizations: { parentAuth: "parentHandle" },
  optional: 1,
});

/** Its new handle is part of what the HMAC is over. */
export const TPM_LoadKey = command("LoadKey", {
  section: "27.8",
  handles: { parentHandle: TPM_KEY_HANDLE },
  parameters: { inKey: TPM_KEY },
  response: { inkeyHandle: TPM_KEY_HANDLE },
  authorizations: { parentAuth: "parentHandle" },
  optional: 1,
});

export const TPM_GetPubKey = command("GetPubKey", {
  section: "10.6",
  handles: { keyHandle: TPM_KEY_HANDLE },
  response: { pubKey: TPM_PUBKEY },
  authorizations: { keyAuth: "keyHandle" },
  optional: 1,
});

export const TPM_Sealx = command("Sealx", {
  section: "10.7",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { encAuth: TPM_ENCAUTH, pcrInfo: PCR_INFO, inData: secret(buffer()) },
  response: { sealedData: TPM_STORED_DATA },
  authorizations: { pubAuth: "keyHandle" },
});
