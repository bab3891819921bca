// What swtpm_bios does with a TPM 2.
import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import { TPMA_SESSION } from "../../tcg/tpm2/attributes.ts";
import { commandBytes, passwordSession } from "../../tcg/tpm2/command_bytes.ts";
import { TPM2_HierarchyChangeAuth } from "../../tcg/tpm2/commands/hierarchies.ts";
import { TPM2_Startup } from "../../tcg/tpm2/commands/startup.ts";
import { TPM2_IncrementalSelfTest } from "../../tcg/tpm2/commands/testing.ts";
import { TPM_RH, TPM_SU } from "../../tcg/tpm2/constants.ts";
import type { Send } from "./exchange.ts";
import type { Asked } from "./words.ts";

/** Bytes of the platform hierarchy's random password. */
const PASSWORD_SIZE = 20;

/** The empty password, as the C program gives it. */
const emptyPassword = {
  ...passwordSession(),
  sessionAttributes: TPMA_SESSION.of("continueSession"),
};

export function startTpm2({ startup, selfTest, giveUp }: Asked, send: Send): void {
  if (startup === "clear" || startup === "state") {
    const startupType = startup === "clear" ? TPM_SU.CLEAR : TPM_SU.STATE;
    send(TPM2_Startup.name, commandBytes(TPM2_Startup, { startupType }));
  }
  if (selfTest) {
    const toTest = [TPM_ALG.SHA256];
    send(TPM2_IncrementalSelfTest.name, commandBytes(TPM2_IncrementalSelfTest, { toTest }));
  }
  if (giveUp) {
    const newAuth = crypto.getRandomValues(new Uint8Array(PASSWORD_SIZE));
    const value = { authHandle: TPM_RH.PLATFORM, newAuth };
    const command = commandBytes(TPM2_HierarchyChangeAuth, value, [emptyPassword]);
    send(TPM2_HierarchyChangeAuth.name, command);
  }
}
