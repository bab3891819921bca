// The two TPM versions as the scenes need them: the same acts in the commands of each. Leaves the
// commands' bytes to tests/support/tpm2.ts and tpm12.ts.

import { TPM_MESSAGE_TAG, TPM_ST as TPM12_ST } from "../../tcg/tpm12/constants.ts";
import { TPM_CAP, TPM_ST, TPM_SU } from "../../tcg/tpm2/constants.ts";
import { repeated, unhex } from "../support/bytes.ts";
import { firmwareStart, tpm12 } from "../support/tpm12.ts";
import { bareCommand, tpm2 } from "../support/tpm2.ts";
import { type Mask, random } from "./step.ts";

/** A command and the part of its answer that is different each time. */
export interface Act {
  readonly bytes: Uint8Array;
  readonly masks: readonly Mask[];
}

/** The acts both TPM versions know. */
export interface Family {
  readonly name: "TPM 2" | "TPM 1.2";
  readonly tpm2: boolean;
  /** Makes a started TPM ready for NV without an owner. */
  readonly start: readonly Act[];
  readonly startup: Act;
  /** Startup with the state that saveState kept. */
  readonly startupState: Act;
  readonly saveState: Act;
  readonly selfTest: Act;
  readonly getRandom: Act;
  readonly extend: (pcr: number) => Act;
  readonly readPcr: (pcr: number) => Act;
  readonly resetPcr: (pcr: number) => Act;
  readonly defineNv: Act;
  readonly writeNv: (data: Uint8Array, offset?: number) => Act;
  readonly readNv: Act;
  /** Maximum of data, which the emulator passes on as it is. */
  readonly property: Act;
  /** A command with a code nobody knows. */
  readonly unknown: Act;
  /** The proxy driver's own command, as its tag and size are in this version. */
  readonly tag: number;
}

/** Bytes in the NV index of the scenes. */
export const NV_SIZE = 32;

/** An act whose answer is the same each time. */
function act(bytes: Uint8Array, ...masks: Mask[]): Act {
  return { bytes, masks };
}

/** Tag, size and code of an answer, then the size of what follows. */
const RANDOM_AFTER = { tpm2: 12, tpm12: 14 };

export const TPM2: Family = {
  name: "TPM 2",
  tpm2: true,
  start: [act(tpm2.startup())],
  startup: act(tpm2.startup()),
  startupState: act(tpm2.startup(TPM_SU.STATE)),
  saveState: act(tpm2.shutdown(TPM_SU.STATE)),
  selfTest: act(tpm2.selfTest()),
  getRandom: act(tpm2.getRandom(16), random(RANDOM_AFTER.tpm2)),
  extend: (pcr) => act(tpm2.pcrExtend(pcr, repeated(0xa5, 32))),
  readPcr: (pcr) => act(tpm2.pcrRead(pcr)),
  resetPcr: (pcr) => act(tpm2.pcrReset(pcr)),
  defineNv: act(tpm2.nvDefineSpace(NV_SIZE)),
  writeNv: (data, offset) => act(tpm2.nvWrite(data, offset)),
  readNv: act(tpm2.nvRead(NV_SIZE)),
  property: act(tpm2.getCapability(TPM_CAP.TPM_PROPERTIES, 0x100, 6)),
  unknown: act(bareCommand(0x1ff)),
  tag: TPM_ST.NO_SESSIONS,
};

export const TPM12: Family = {
  name: "TPM 1.2",
  tpm2: false,
  start: firmwareStart().map((bytes) => act(bytes)),
  startup: act(tpm12.startup()),
  startupState: act(tpm12.startup(TPM12_ST.STATE)),
  saveState: act(tpm12.saveState()),
  selfTest: act(tpm12.selfTestFull()),
  getRandom: act(tpm12.getRandom(16), random(RANDOM_AFTER.tpm12)),
  extend: (pcr) => act(tpm12.extend(pcr, repeated(0xa5, 20))),
  readPcr: (pcr) => act(tpm12.pcrRead(pcr)),
  resetPcr: (pcr) => act(tpm12.pcrReset(pcr)),
  defineNv: act(tpm12.nvDefineSpace(NV_SIZE)),
  writeNv: (data, offset) => act(tpm12.nvWriteValue(data, offset)),
  readNv: act(tpm12.nvReadValue(NV_SIZE)),
  property: act(tpm12.getCapability(5, new Uint8Array([0, 0, 1, 3]))), // manufacturer
  unknown: act(unhex("00c1 0000000a 000001ff")),
  tag: TPM_MESSAGE_TAG.RQU_COMMAND,
};
