// What TPM_GetCapability is asked and answers, area by area (Part 2, 7, 21 and 21.7 to 21.10).

import { restBytes } from "../../kernel/bytes.ts";
import { type AnyCodec, u16, u32, u8, type Value } from "../../kernel/codec.ts";
import { flags } from "../../kernel/numbers.ts";
import { struct } from "../../kernel/struct.ts";
import { TPM_DA_ACTIONS, TPM_STARTUP_EFFECTS } from "../attributes.ts";
import {
  TPM_CAP,
  TPM_CAP_FLAG,
  TPM_CAP_FLAG_ID,
  TPM_CAP_PROP,
  TPM_CAP_PROP_ID,
} from "../capabilities.ts";
import {
  TPM_ALGORITHM_ID,
  TPM_DA_STATE,
  TPM_ENC_SCHEME,
  TPM_ENTITY_TYPE,
  TPM_PROTOCOL_ID,
  TPM_RESOURCE_TYPE,
  TPM_STRUCTURE_TAG,
  TPM_TAG,
} from "../constants.ts";
import { TPM_COUNT_ID, TPM_KEY_HANDLE, TPM_NV_INDEX } from "../handle_types.ts";
import { TPM_COMMAND_CODE } from "../ordinals.ts";
import { buffer, tagged, TPM_BOOL } from "../types.ts";
import { TPM_KEY_HANDLE_LIST, TPM_KEY_PARMS } from "./keys.ts";
import { TPM_NV_DATA_PUBLIC } from "./storage.ts";
import { TPM_CAP_VERSION_INFO, TPM_STRUCT_VER } from "./versions.ts";

/** The permanent flags in their order (7.1). */
const PERMANENT_FLAGS = [
  "disable",
  "ownership",
  "deactivated",
  "readPubek",
  "disableOwnerClear",
  "allowMaintenance",
  "physicalPresenceLifetimeLock",
  "physicalPresenceHWEnable",
  "physicalPresenceCMDEnable",
  "CEKPUsed",
  "TPMpost",
  "TPMpostLock",
  "FIPS",
  "operator",
  "enableRevokeEK",
  "nvLocked",
  "readSRKPub",
  "tpmEstablished",
  "maintenanceDone",
  "disableFullDALogicInfo",
] as const;

/** The flags that last until the next start (7.2). */
const STCLEAR_FLAGS = [
  "deactivated",
  "disableForceClear",
  "physicalPresence",
  "physicalPresenceLock",
  "bGlobalLock",
] as const;

function booleans<const N extends readonly string[]>(names: N): Record<N[number], typeof TPM_BOOL> {
  return Object.fromEntries(names.map((name) => [name, TPM_BOOL])) as never;
}

function bits<const N extends readonly string[]>(names: N): Record<N[number], number> {
  return Object.fromEntries(names.map((name, bit) => [name, bit])) as never;
}

export const TPM_PERMANENT_FLAGS = struct("TPM_PERMANENT_FLAGS", {
  tag: TPM_STRUCTURE_TAG,
  ...booleans(PERMANENT_FLAGS),
});
export type TPM_PERMANENT_FLAGS = Value<typeof TPM_PERMANENT_FLAGS>;

export const TPM_STCLEAR_FLAGS = struct("TPM_STCLEAR_FLAGS", {
  tag: TPM_STRUCTURE_TAG,
  ...booleans(STCLEAR_FLAGS),
});
export type TPM_STCLEAR_FLAGS = Value<typeof TPM_STCLEAR_FLAGS>;

/** The flags as TPM_GetCapabilityOwner has them: a bit each. */
export const NON_VOLATILE_FLAGS = flags("non_volatile_flags", u32, bits(PERMANENT_FLAGS));
export const VOLATILE_FLAGS = flags("volatile_flags", u32, bits(STCLEAR_FLAGS));

export const TPM_SELECT_SIZE = struct("TPM_SELECT_SIZE", { major: u8, minor: u8, reqSize: u16 });
export type TPM_SELECT_SIZE = Value<typeof TPM_SELECT_SIZE>;

const TPM_DA_ACTION_TYPE = struct("TPM_DA_ACTION_TYPE", {
  tag: TPM_STRUCTURE_TAG,
  actions: TPM_DA_ACTIONS,
});

export const TPM_DA_INFO = struct("TPM_DA_INFO", {
  tag: TPM_STRUCTURE_TAG,
  state: TPM_DA_STATE,
  currentCount: u16,
  thresholdCount: u16,
  actionAtThreshold: TPM_DA_ACTION_TYPE,
  actionDependValue: u32,
  vendorData: buffer(),
});
export type TPM_DA_INFO = Value<typeof TPM_DA_INFO>;

export const TPM_DA_INFO_LIMITED = struct("TPM_DA_INFO_LIMITED", {
  tag: TPM_STRUCTURE_TAG,
  state: TPM_DA_STATE,
  actionAtThreshold: TPM_DA_ACTION_TYPE,
  vendorData: buffer(),
});
export type TPM_DA_INFO_LIMITED = Value<typeof TPM_DA_INFO_LIMITED>;

const DA_LOGIC = tagged(TPM_TAG.DA_INFO_LIMITED, TPM_DA_INFO_LIMITED, TPM_DA_INFO);

const numbers = (names: readonly string[]) =>
  struct("UINT32[]", Object.fromEntries(names.map((name) => [name, u32])));

/** Indices up to the end. */
const NV_LIST = restBytes("TPM_NV_INDEX[]");

interface Area {
  readonly subCap?: AnyCodec;
  readonly resp: AnyCodec;
}

/** What is asked in an area, and what comes back; areas without a question have an empty one. */
const AREAS: ReadonlyMap<number, Area> = new Map<number, Area>([
  [TPM_CAP.ORD, { subCap: TPM_COMMAND_CODE, resp: TPM_BOOL }],
  [TPM_CAP.ALG, { subCap: TPM_ALGORITHM_ID, resp: TPM_BOOL }],
  [TPM_CAP.PID, { subCap: TPM_PROTOCOL_ID, resp: TPM_BOOL }],
  [TPM_CAP.FLAG, { subCap: TPM_CAP_FLAG_ID, resp: TPM_PERMANENT_FLAGS }],
  [TPM_CAP.PROPERTY, { subCap: TPM_CAP_PROP_ID, resp: u32 }],
  [TPM_CAP.VERSION, { resp: TPM_STRUCT_VER }],
  [TPM_CAP.KEY_HANDLE, { resp: TPM_KEY_HANDLE_LIST }],
  [TPM_CAP.CHECK_LOADED, { subCap: TPM_KEY_PARMS, resp: TPM_BOOL }],
  [TPM_CAP.SYM_MODE, { subCap: u32, resp: TPM_BOOL }],
  [TPM_CAP.KEY_STATUS, { subCap: TPM_KEY_HANDLE, resp: TPM_BOOL }],
  [TPM_CAP.NV_LIST, { resp: NV_LIST }],
  [TPM_CAP.NV_INDEX, { subCap: TPM_NV_INDEX, resp: TPM_NV_DATA_PUBLIC }],
  [TPM_CAP.TRANS_ALG, { subCap: TPM_ALGORITHM_ID, resp: TPM_BOOL }],
  [TPM_CAP.HANDLE, { subCap: TPM_RESOURCE_TYPE, resp: TPM_KEY_HANDLE_LIST }],
  [TPM_CAP.TRANS_ES, { subCap: TPM_ENC_SCHEME, resp: TPM_BOOL }],
  [TPM_CAP.AUTH_ENCRYPT, { subCap: TPM_ALGORITHM_ID, resp: TPM_BOOL }],
  [TPM_CAP.SELECT_SIZE, { subCap: TPM_SELECT_SIZE, resp: TPM_BOOL }],
  [TPM_CAP.DA_LOGIC, { subCap: TPM_ENTITY_TYPE, resp: DA_LOGIC }],
  [TPM_CAP.VERSION_VAL, { resp: TPM_CAP_VERSION_INFO }],
]);

/** Properties that are not a number of four bytes. */
const PROPERTIES: ReadonlyMap<number, AnyCodec> = new Map<number, AnyCodec>([
  [TPM_CAP_PROP.OWNER, TPM_BOOL],
  [TPM_CAP_PROP.DAA_INTERRUPT, TPM_BOOL],
  [TPM_CAP_PROP.STARTUP_EFFECT, TPM_STARTUP_EFFECTS],
  [TPM_CAP_PROP.ACTIVE_COUNTER, TPM_COUNT_ID],
  [TPM_CAP_PROP.TIS_TIMEOUT, numbers(["TIMEOUT_A", "TIMEOUT_B", "TIMEOUT_C", "TIMEOUT_D"])],
  [TPM_CAP_PROP.DURATION, numbers(["SMALL_DURATION", "MEDIUM_DURATION", "LONG_DURATION"])],
]);

/** What the parameter subCap holds in this area; undefined where it is empty or not known. */
export function subCapCodec(capArea: number): AnyCodec | undefined {
  return AREAS.get(capArea)?.subCap;
}

/** What the answer to this question holds; undefined where that is not known. */
export function respCodec(capArea: number, subCap: Uint8Array): AnyCodec | undefined {
  const number = subCap.length === 4
    ? new DataView(subCap.buffer, subCap.byteOffset).getUint32(0)
    : undefined;
  if (capArea === TPM_CAP.FLAG && number === TPM_CAP_FLAG.VOLATILE) return TPM_STCLEAR_FLAGS;
  const property = capArea === TPM_CAP.PROPERTY ? PROPERTIES.get(number ?? 0) : undefined;
  return property ?? AREAS.get(capArea)?.resp;
}
