// TPM 1.2 commands as bytes for tests that send them as they are, by the declarations of tcg/, and
// the few answers tests look into. Leaves sending them to client.ts.

import { TPM_NV_PER, TPM_PHYSICAL_PRESENCE } from "../../tcg/tpm12/attributes.ts";
import { TPM_CAP, TPM_CAP_FLAG, TPM_CAP_FLAG_ID } from "../../tcg/tpm12/capabilities.ts";
import { CommandError } from "../../tcg/tpm12/client/command_error.ts";
import { WELL_KNOWN_AUTH } from "../../tcg/tpm12/client/session.ts";
import { decode, encode } from "../../tcg/kernel/codec.ts";
import type { ResponseValue } from "../../tcg/kernel/declaration.ts";
import { valuesOf } from "../../tcg/kernel/message.ts";
import type { AnyDeclaration } from "../../tcg/tpm12/command.ts";
import { commandBytes } from "../../tcg/tpm12/command_bytes.ts";
import { TPM_OIAP } from "../../tcg/tpm12/commands/authorization.ts";
import { TPM_GetCapability } from "../../tcg/tpm12/commands/capabilities.ts";
import { TPM_GetRandom } from "../../tcg/tpm12/commands/cryptography.ts";
import {
  TPM_NV_DefineSpace,
  TPM_NV_ReadValue,
  TPM_NV_WriteValue,
} from "../../tcg/tpm12/commands/nv.ts";
import { TPM_PhysicalEnable, TPM_PhysicalSetDeactivated } from "../../tcg/tpm12/commands/opt_in.ts";
import { TSC_PhysicalPresence } from "../../tcg/tpm12/commands/ownership.ts";
import { TPM_Extend, TPM_PCR_Reset, TPM_PcrRead } from "../../tcg/tpm12/commands/pcrs.ts";
import { TPM_SaveState, TPM_Startup } from "../../tcg/tpm12/commands/startup.ts";
import { TPM_SelfTestFull } from "../../tcg/tpm12/commands/testing.ts";
import { TPM_GetTicks } from "../../tcg/tpm12/commands/ticks.ts";
import { TPM_ST, TPM_TAG } from "../../tcg/tpm12/constants.ts";
import { readResponse } from "../../tcg/tpm12/message.ts";
import { TPM_STCLEAR_FLAGS } from "../../tcg/tpm12/structures/capabilities.ts";
import { fields } from "./bytes.ts";

/** An NV index that is free for use. */
export const NV_INDEX = 0x00011101;

/** The commands, none of them with an authorisation. */
export const tpm12 = {
  startup: (startupType: number = TPM_ST.CLEAR) => commandBytes(TPM_Startup, { startupType }),
  saveState: () => commandBytes(TPM_SaveState, {}),
  selfTestFull: () => commandBytes(TPM_SelfTestFull, {}),
  physicalPresence: (bit: "CMD_ENABLE" | "PRESENT") =>
    commandBytes(TSC_PhysicalPresence, { physicalPresence: TPM_PHYSICAL_PRESENCE.of(bit) }),
  physicalEnable: () => commandBytes(TPM_PhysicalEnable, {}),
  physicalSetDeactivated: (deactivated: boolean) =>
    commandBytes(TPM_PhysicalSetDeactivated, { state: deactivated ? 1 : 0 }),
  getRandom: (bytesRequested: number) => commandBytes(TPM_GetRandom, { bytesRequested }),
  getTicks: () => commandBytes(TPM_GetTicks, {}),
  getCapability: (capArea: number, ...sub: readonly Uint8Array[]) =>
    commandBytes(TPM_GetCapability, { capArea, subCap: fields(...sub) }),
  volatileFlags: () =>
    commandBytes(TPM_GetCapability, {
      capArea: TPM_CAP.FLAG,
      subCap: encode(TPM_CAP_FLAG_ID, TPM_CAP_FLAG.VOLATILE),
    }),
  oiap: () => commandBytes(TPM_OIAP, {}),
  extend: (pcrNum: number, inDigest: Uint8Array) => commandBytes(TPM_Extend, { pcrNum, inDigest }),
  pcrRead: (pcrIndex: number) => commandBytes(TPM_PcrRead, { pcrIndex }),
  pcrReset: (pcr: number) => commandBytes(TPM_PCR_Reset, { pcrSelection: pcrSelection([pcr]) }),
  nvDefineSpace: (dataSize: number, nvIndex = NV_INDEX) =>
    commandBytes(TPM_NV_DefineSpace, {
      pubInfo: {
        tag: TPM_TAG.NV_DATA_PUBLIC,
        nvIndex,
        pcrInfoRead: ANY_PCR,
        pcrInfoWrite: ANY_PCR,
        permission: { tag: TPM_TAG.NV_ATTRIBUTES, attributes: TPM_NV_PER.of("PPWRITE") },
        bReadSTClear: 0,
        bWriteSTClear: 0,
        bWriteDefine: 0,
        dataSize,
      },
      encAuth: WELL_KNOWN_AUTH,
    }),
  nvWriteValue: (data: Uint8Array, offset = 0, nvIndex = NV_INDEX) =>
    commandBytes(TPM_NV_WriteValue, { nvIndex, offset, data }),
  nvReadValue: (dataSize: number, offset = 0, nvIndex = NV_INDEX) =>
    commandBytes(TPM_NV_ReadValue, { nvIndex, offset, dataSize }),
};

/** What a firmware sends before NV can be used without an owner: start, then take presence. */
export function firmwareStart(): Uint8Array[] {
  return [
    tpm12.startup(),
    tpm12.physicalPresence("CMD_ENABLE"),
    tpm12.physicalPresence("PRESENT"),
    tpm12.physicalEnable(),
    tpm12.physicalSetDeactivated(false),
  ];
}

/** A bit for each PCR. */
function pcrSelection(pcrs: readonly number[]): Uint8Array {
  const bits = new Uint8Array(3);
  for (const pcr of pcrs) bits[pcr >> 3] = bits[pcr >> 3]! | 1 << (pcr & 7);
  return bits;
}

/** Asks for no PCR, from any locality. */
const ANY_PCR = {
  pcrSelection: pcrSelection([]),
  localityAtRelease: 0x1f,
  digestAtRelease: new Uint8Array(20),
};

/** Data of an NV_ReadValue answer. */
export function readNvReadValue(bytes: Uint8Array): Uint8Array {
  return succeeded(TPM_NV_ReadValue, bytes).data;
}

/** Whether the flags of an answer to `volatileFlags` say that the TPM is deactivated until its next start. */
export function isDeactivated(bytes: Uint8Array): boolean {
  return decode(TPM_STCLEAR_FLAGS, succeeded(TPM_GetCapability, bytes).resp).deactivated !== 0;
}

/** The digest of a PCRRead answer. */
export function readPcrRead(bytes: Uint8Array): Uint8Array {
  return succeeded(TPM_PcrRead, bytes).outDigest;
}

function succeeded<D extends AnyDeclaration>(command: D, bytes: Uint8Array): ResponseValue<D> {
  const response = readResponse(bytes, command);
  if (response.code !== 0) throw new CommandError(command, response.code);
  if (response.fault !== undefined) throw response.fault;
  return valuesOf(command, response);
}
