// Test of the command that proves a TPM: it is what the specifications call it.

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { readCommand as readCommand12 } from "../../tcg/tpm12/message.ts";
import { commandBytes } from "../../tcg/tpm2/command_bytes.ts";
import { TPM2_ReadClock } from "../../tcg/tpm2/commands/clocks.ts";
import { proofCommand } from "./proof.ts";

Deno.test("the proof is TPM2_ReadClock, or TPM_GetTicks", () => {
  deepStrictEqual(proofCommand(true), commandBytes(TPM2_ReadClock, {}));
  const { command, fault } = readCommand12(proofCommand(false));
  strictEqual(fault, undefined);
  strictEqual(command?.name, "TPM_GetTicks");
});
