// What swtpm_bios does with a TPM 1.2.
import { decode, encode } from "../../tcg/kernel/codec.ts";
import type { CommandValue } from "../../tcg/kernel/declaration.ts";
import { TPM_PHYSICAL_PRESENCE } from "../../tcg/tpm12/attributes.ts";
import { TPM_CAP, TPM_CAP_FLAG, TPM_CAP_FLAG_ID } from "../../tcg/tpm12/capabilities.ts";
import type { AnyDeclaration } from "../../tcg/tpm12/command.ts";
import { TPM_GetCapability } from "../../tcg/tpm12/commands/capabilities.ts";
import { TPM_PhysicalEnable, TPM_PhysicalSetDeactivated } from "../../tcg/tpm12/commands/opt_in.ts";
import { TSC_PhysicalPresence } from "../../tcg/tpm12/commands/ownership.ts";
import { TPM_Startup } from "../../tcg/tpm12/commands/startup.ts";
import { TPM_ContinueSelfTest } from "../../tcg/tpm12/commands/testing.ts";
import { TPM_ST } from "../../tcg/tpm12/constants.ts";
import { commandBytes } from "../../tcg/tpm12/command_bytes.ts";
import { readResponse } from "../../tcg/tpm12/message.ts";
import { TPM_PERMANENT_FLAGS } from "../../tcg/tpm12/structures/capabilities.ts";
import { Patience, type Send } from "./exchange.ts";
import type { Asked, Startup } from "./words.ts";

const present = TPM_PHYSICAL_PRESENCE.of;

const startupTypes: Readonly<Record<Exclude<Startup, "none">, number>> = {
  clear: TPM_ST.CLEAR,
  state: TPM_ST.STATE,
  deactivated: TPM_ST.DEACTIVATED,
};

/** Returns whether the TPM has to be reset before it is active. */
export function startTpm12(asked: Asked, send: Send): boolean {
  const { startup, more, selfTest, ensureActivated, giveUp } = asked;
  const run = <D extends AnyDeclaration>(
    command: D,
    value: CommandValue<D>,
    label: string = command.name,
    seconds: number = Patience.SHORT,
  ) => send(label, commandBytes(command, value), seconds);
  const presence = (name: string, bits: number) =>
    run(TSC_PhysicalPresence, { physicalPresence: bits }, `TSC_PhysicalPresence(${name})`);

  if (startup !== "none") {
    const startupType = startupTypes[startup];
    run(TPM_Startup, { startupType }, `TPM_Startup(0x0${startupType})`);
  }
  if (more) {
    presence("CMD_ENABLE", present("CMD_ENABLE"));
    presence("PRESENT", present("PRESENT"));
    const wasDeactivated = ensureActivated && isDeactivated(send);
    run(TPM_PhysicalEnable, {});
    run(TPM_PhysicalSetDeactivated, { state: 0 });
    if (wasDeactivated) return true;
  }
  if (selfTest) run(TPM_ContinueSelfTest, {}, TPM_ContinueSelfTest.name, Patience.LONG);
  if (giveUp) {
    presence("CMD_ENABLE", present("CMD_ENABLE"));
    presence("NOT_PRESENT|LOCK", present("NOTPRESENT", "LOCK"));
  }
  return false;
}

function isDeactivated(send: Send): boolean {
  const subCap = encode(TPM_CAP_FLAG_ID, TPM_CAP_FLAG.PERMANENT);
  const command = commandBytes(TPM_GetCapability, { capArea: TPM_CAP.FLAG, subCap });
  const response = send("TPM_GetCapability()", command);
  const { resp } = readResponse(response, TPM_GetCapability).parameters;
  return resp !== undefined && decode(TPM_PERMANENT_FLAGS, resp as Uint8Array).deactivated !== 0;
}
