// Transport sessions: commands within commands (Part 3, 24). What they wrap is a message like any
// other, for readCommand and readResponse; what may be read of it depends on TPM_EstablishTransport.

import { secret } from "../../kernel/bytes.ts";
import { u32, u64 } from "../../kernel/codec.ts";
import { command } from "../command.ts";
import { TPM_KEY_HANDLE, TPM_TRANSHANDLE } from "../handle_types.ts";
import {
  TPM_CURRENT_TICKS,
  TPM_TRANSPORT_PUBLIC,
  TRANSPORT_SECRET,
} from "../structures/sessions.ts";
import { buffer, TPM_NONCE } from "../types.ts";

export const TPM_EstablishTransport = command("EstablishTransport", {
  section: "24.1",
  handles: { encHandle: TPM_KEY_HANDLE },
  parameters: { transPublic: TPM_TRANSPORT_PUBLIC, secret: TRANSPORT_SECRET },
  responseHandles: { transHandle: TPM_TRANSHANDLE },
  response: { locality: u32, currentTicks: TPM_CURRENT_TICKS, transNonceEven: TPM_NONCE },
  authorizations: { keyAuth: "encHandle" },
  optional: 1,
});

export const TPM_ExecuteTransport = command("ExecuteTransport", {
  section: "24.2",
  parameters: { wrappedCmd: secret(buffer()) },
  response: { currentTicks: u64, locality: u32, wrappedRsp: secret(buffer()) },
  authorizations: { transAuth: "transport" },
});

export const TPM_ReleaseTransportSigned = command("ReleaseTransportSigned", {
  section: "24.3",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { antiReplay: TPM_NONCE },
  response: { locality: u32, currentTicks: TPM_CURRENT_TICKS, signature: buffer() },
  authorizations: { keyAuth: "keyHandle", transAuth: "transport" },
  optional: 1,
});
