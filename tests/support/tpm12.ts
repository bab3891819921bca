// TPM 1.2 commands for tests, each written as the list of its fields (TPM Main, Part 3), and the
// few answers tests look into. Leaves sending them to client.ts.

import { fields, hex, Reader, repeated, sized16, sized32, u16, u32, u8 } from "./bytes.ts";

/** Tag of a request without authorisation (TPM Main, Part 2, 6.1). */
export const TPM_TAG_RQU_COMMAND = 0x00c1;

/** Ordinals (Part 2, 17). */
export const TPM_ORD = {
  Extend: 0x14,
  PcrRead: 0x15,
  OIAP: 0x0a,
  GetRandom: 0x46,
  SelfTestFull: 0x50,
  ContinueSelfTest: 0x53,
  GetCapability: 0x65,
  PhysicalEnable: 0x6f,
  PhysicalSetDeactivated: 0x72,
  SaveState: 0x98,
  Startup: 0x99,
  PCR_Reset: 0xc8,
  NV_DefineSpace: 0xcc,
  NV_WriteValue: 0xcd,
  NV_ReadValue: 0xcf,
  GetTicks: 0xf1,
  TSC_PhysicalPresence: 0x4000000a,
} as const;

/** Startup types (Part 2, TPM_STARTUP_TYPE). */
export const TPM_ST = { CLEAR: 1, STATE: 2, DEACTIVATED: 3 } as const;

/** Bits of TSC_PhysicalPresence (Part 2, 4.9). */
export const PHYSICAL_PRESENCE = {
  PRESENT: 0x0008,
  NOTPRESENT: 0x0010,
  CMD_ENABLE: 0x0020,
} as const;

/** Attributes of an NV index that needs neither owner nor password (Part 2, 19.2). */
export const NV_PER = { PPWRITE: 1 << 0, OWNERWRITE: 1 << 1 } as const;

/** An NV index that is free for use. */
export const NV_INDEX = 0x00011101;

/** A command without authorisation: tag, size, ordinal, then parameters. */
export function command(ordinal: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = fields(u32(ordinal), ...parts);
  return fields(u16(TPM_TAG_RQU_COMMAND), u32(2 + 4 + body.length), body);
}

/** The commands, in Part 3's order of fields. */
export const tpm12 = {
  startup: (type: number = TPM_ST.CLEAR) => command(TPM_ORD.Startup, u16(type)),
  saveState: () => command(TPM_ORD.SaveState),
  selfTestFull: () => command(TPM_ORD.SelfTestFull),
  continueSelfTest: () => command(TPM_ORD.ContinueSelfTest),
  physicalPresence: (bits: number) => command(TPM_ORD.TSC_PhysicalPresence, u16(bits)),
  physicalEnable: () => command(TPM_ORD.PhysicalEnable),
  physicalSetDeactivated: (deactivated: boolean) =>
    command(TPM_ORD.PhysicalSetDeactivated, u8(deactivated ? 1 : 0)),
  getRandom: (length: number) => command(TPM_ORD.GetRandom, u32(length)),
  getTicks: () => command(TPM_ORD.GetTicks),
  getCapability: (area: number, ...sub: readonly Uint8Array[]) =>
    command(TPM_ORD.GetCapability, u32(area), sized32(...sub)),
  oiap: () => command(TPM_ORD.OIAP),
  extend: (pcr: number, digest: Uint8Array) => command(TPM_ORD.Extend, u32(pcr), digest),
  pcrRead: (pcr: number) => command(TPM_ORD.PcrRead, u32(pcr)),
  pcrReset: (pcr: number) => command(TPM_ORD.PCR_Reset, pcrSelection([pcr])),
  nvDefineSpace: (size: number, index = NV_INDEX, permission: number = NV_PER.PPWRITE) =>
    command(
      TPM_ORD.NV_DefineSpace,
      // TPM_NV_DATA_PUBLIC: tag, nvIndex, pcrInfoRead, pcrInfoWrite, permission,
      // bReadSTClear, bWriteSTClear, bWriteDefine, dataSize
      u16(0x0018),
      u32(index),
      anyPcr(),
      anyPcr(),
      fields(u16(0x0017), u32(permission)), // TPM_NV_ATTRIBUTES: tag, attributes
      u8(0),
      u8(0),
      u8(0),
      u32(size),
      repeated(0, 20), // encAuth
    ),
  nvWriteValue: (data: Uint8Array, offset = 0, index = NV_INDEX) =>
    command(TPM_ORD.NV_WriteValue, u32(index), u32(offset), sized32(data)),
  nvReadValue: (size: number, offset = 0, index = NV_INDEX) =>
    command(TPM_ORD.NV_ReadValue, u32(index), u32(offset), u32(size)),
};

/** What a firmware sends before NV can be used without an owner: start, then take presence. */
export function firmwareStart(): Uint8Array[] {
  return [
    tpm12.startup(),
    tpm12.physicalPresence(PHYSICAL_PRESENCE.CMD_ENABLE),
    tpm12.physicalPresence(PHYSICAL_PRESENCE.PRESENT),
    tpm12.physicalEnable(),
    tpm12.physicalSetDeactivated(false),
  ];
}

/** TPM_PCR_SELECTION: sizeOfSelect, pcrSelect. */
export function pcrSelection(pcrs: readonly number[]): Uint8Array {
  const bits = new Uint8Array(3);
  for (const pcr of pcrs) bits[pcr >> 3] = (bits[pcr >> 3] ?? 0) | 1 << (pcr & 7);
  return sized16(bits);
}

/** TPM_PCR_INFO_SHORT that asks for no PCR: pcrSelection, localityAtRelease, digestAtRelease. */
function anyPcr(): Uint8Array {
  const ALL_LOCALITIES = 0x1f;
  return fields(pcrSelection([]), u8(ALL_LOCALITIES), repeated(0, 20));
}

/** Data of an NV_ReadValue answer. */
export function readNvReadValue(bytes: Uint8Array): Uint8Array {
  return successReader(bytes).sized32();
}

/** The digest of a PCRRead answer. */
export function readPcrRead(bytes: Uint8Array): Uint8Array {
  return successReader(bytes).bytes(20);
}

function successReader(bytes: Uint8Array): Reader {
  const reader = new Reader(bytes);
  reader.u16(); // tag
  reader.u32(); // paramSize
  const code = reader.u32();
  if (code !== 0) {
    throw new Error(`the TPM answered with code 0x${code.toString(16)}: ${hex(bytes)}`);
  }
  return reader;
}
