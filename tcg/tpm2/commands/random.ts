// The random number generator (Part 3, 16).

import { secret } from "../../kernel/bytes.ts";
import { u16 } from "../../kernel/codec.ts";
import { command } from "../command.ts";
import { TPM2B_DIGEST } from "../structures/digests.ts";
import { TPM2B_SENSITIVE_DATA } from "../structures/symmetric.ts";

export const TPM2_GetRandom = command("GetRandom", {
  section: "16.1",
  parameters: { bytesRequested: u16 },
  response: { randomBytes: secret(TPM2B_DIGEST) },
});

export const TPM2_StirRandom = command("StirRandom", {
  section: "16.2",
  parameters: { inData: TPM2B_SENSITIVE_DATA },
  nv: true,
});
