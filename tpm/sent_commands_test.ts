// The commands that swtpm sends to its TPM by itself are made of wire/'s layouts, so that no start has to
// load the specifications; here they are held against them.

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { readCommand as readCommand12 } from "../tcg/tpm12/message.ts";
import { commandBytes } from "../tcg/tpm2/command_bytes.ts";
import { TPM2_GetCapability } from "../tcg/tpm2/commands/capabilities.ts";
import { TPM2_FlushContext } from "../tcg/tpm2/commands/contexts.ts";
import { TPM2_Shutdown, TPM2_Startup } from "../tcg/tpm2/commands/startup.ts";
import { TPM_CAP, TPM_HT, TPM_ST, TPM_SU } from "../tcg/tpm2/constants.ts";
import { writeResponse } from "../tcg/tpm2/message.ts";
import { tpm12, tpm2 } from "./family.ts";
import { endSavedSessions } from "./saved_sessions.ts";

Deno.test("Startup and Shutdown", () => {
  const { CLEAR, STATE } = TPM_SU;
  deepStrictEqual(tpm2.startup.clear, commandBytes(TPM2_Startup, { startupType: CLEAR }));
  deepStrictEqual(tpm2.startup.state, commandBytes(TPM2_Startup, { startupType: STATE }));
  deepStrictEqual(tpm2.shutdown, [
    commandBytes(TPM2_Shutdown, { shutdownType: STATE }),
    commandBytes(TPM2_Shutdown, { shutdownType: CLEAR }),
  ]);
  for (const [type, number] of [["clear", 1], ["state", 2], ["deactivated", 3]] as const) {
    const { fault, command, parameters } = readCommand12(tpm12.startup[type]!);
    strictEqual(fault, undefined);
    strictEqual(command?.name, "TPM_Startup");
    deepStrictEqual(parameters, { startupType: number });
  }
});

Deno.test("what ends saved sessions", () => {
  const first = TPM_HT.POLICY_SESSION << 24;
  const handles = [first, first + 5];
  const sent: Uint8Array[] = [];
  endSavedSessions((command) => {
    sent.push(command);
    return listOf(handles);
  });
  const ask = { capability: TPM_CAP.HANDLES, property: first, propertyCount: 64 };
  deepStrictEqual(sent, [
    commandBytes(TPM2_GetCapability, ask),
    ...handles.map((flushHandle) => commandBytes(TPM2_FlushContext, { flushHandle })),
  ]);
});

/** The response that lists handles. */
function listOf(handles: readonly number[]): Uint8Array<ArrayBuffer> {
  const HEADER_SIZE = 10;
  const LIST_SIZE = 1 + 4 + 4;
  return writeResponse({
    ...{ tag: TPM_ST.NO_SESSIONS, code: 0, command: TPM2_GetCapability },
    size: HEADER_SIZE + LIST_SIZE + 4 * handles.length,
    parameters: {
      moreData: 0,
      capabilityData: { capability: TPM_CAP.HANDLES, data: { handles } },
    },
    ...{ handles: [], sessions: undefined, parameterSize: undefined, encrypted: undefined },
    ...{ rest: new Uint8Array(0), fault: undefined },
  });
}
