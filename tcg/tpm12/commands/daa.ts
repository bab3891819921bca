// Direct anonymous attestation (Part 3, 26).

import { u8 } from "../../kernel/codec.ts";
import { command } from "../command.ts";
import { TPM_HANDLE } from "../handle_types.ts";
import { buffer } from "../types.ts";

export const TPM_DAA_Join = command("DAA_Join", {
  section: "26.1",
  handles: { handle: TPM_HANDLE },
  parameters: { stage: u8, inputData0: buffer(), inputData1: buffer() },
  response: { outputData: buffer() },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_DAA_Sign = command("DAA_Sign", {
  section: "26.2",
  handles: { handle: TPM_HANDLE },
  parameters: { stage: u8, inputData0: buffer(), inputData1: buffer() },
  response: { outputData: buffer() },
  authorizations: { ownerAuth: "owner" },
});
